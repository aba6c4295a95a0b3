"""Matrices as lists of rows."""


# transpose a matrix
# swap the rows and columns of a matrix
# turn rows into columns
# flip a matrix over its diagonal
# write a transpose function
# return the transpose of a matrix
#: transpose([[1, 2], [3, 4], [5, 6]]) == [[1, 3, 5], [2, 4, 6]]
#: transpose([[1]]) == [[1]]
def transpose(matrix: list[list[int]]) -> list[list[int]]:
    """Return the columns as rows."""
    return [list(column) for column in zip(*matrix, strict=True)]


# multiply two matrices
# matrix multiplication
# product of two matrices
# compute the matrix product
# write matmul without numpy
# return the product of two matrices
#: matrix_multiply([[1, 2]], [[3], [4]]) == [[11]]
#: matrix_multiply([[1, 0], [0, 1]], [[5, 6], [7, 8]]) == [[5, 6], [7, 8]]
def matrix_multiply(a: list[list[int]], b: list[list[int]]) -> list[list[int]]:
    """Return the product of two matrices."""
    columns = list(zip(*b, strict=True))
    return [[sum(x * y for x, y in zip(row, column, strict=True)) for column in columns] for row in a]


# add two matrices
# matrix addition
# sum of two matrices
# add matrices element by element
# compute the elementwise sum of matrices
# return the sum of two matrices
#: matrix_add([[1, 2]], [[3, 4]]) == [[4, 6]]
#: matrix_add([[0]], [[5]]) == [[5]]
def matrix_add(a: list[list[int]], b: list[list[int]]) -> list[list[int]]:
    """Return the sum of two matrices of one shape."""
    return [[x + y for x, y in zip(row, other, strict=True)] for row, other in zip(a, b, strict=True)]


# make an identity matrix
# identity matrix of size n
# create a matrix with ones on the diagonal
# return the unit matrix
# build an n by n identity
# create an identity matrix
#: identity(2) == [[1, 0], [0, 1]]
#: identity(1) == [[1]]
def identity(size: int) -> list[list[int]]:
    """Return a matrix with ones on its diagonal and zeros elsewhere."""
    return [[1 if row == column else 0 for column in range(size)] for row in range(size)]


# rotate a matrix by 90 degrees
# turn a matrix clockwise
# rotate an image
# quarter turn of a matrix
# rotate the rows of a grid to the right
# rotate a matrix clockwise
#: rotate_matrix([[1, 2], [3, 4]]) == [[3, 1], [4, 2]]
#: rotate_matrix([[1]]) == [[1]]
def rotate_matrix(matrix: list[list[int]]) -> list[list[int]]:
    """Return the matrix turned clockwise by a quarter."""
    return [list(column) for column in zip(*reversed(matrix), strict=True)]


# compute the dot product of two vectors
# dot product
# scalar product
# inner product of two lists
# multiply two vectors and sum the result
# return the dot product of two lists
#: dot_product([1, 2, 3], [4, 5, 6]) == 32
#: dot_product([], []) == 0
def dot_product(a: list[int], b: list[int]) -> int:
    """Return the sum of the products of items at the same place."""
    return sum(x * y for x, y in zip(a, b, strict=True))


# sum the diagonal of a matrix
# trace of a matrix
# add the diagonal elements
# return the sum of the main diagonal
# compute the matrix trace
# calculate the diagonal sum of a matrix
#: trace([[1, 2], [3, 4]]) == 5
#: trace([[7]]) == 7
def trace(matrix: list[list[int]]) -> int:
    """Return the sum of the main diagonal."""
    return sum(matrix[i][i] for i in range(len(matrix)))


# make a matrix of zeros
# create a two dimensional list filled with zeros
# zero matrix
# build a grid of zeros
# return rows and columns of zeros
# create a matrix filled with zeros
#: zeros(2, 3) == [[0, 0, 0], [0, 0, 0]]
#: zeros(1, 1) == [[0]]
def zeros(rows: int, columns: int) -> list[list[int]]:
    """Return a matrix of zeros."""
    return [[0] * columns for _ in range(rows)]


# make pascal's triangle
# pascal triangle
# return the rows of pascal's triangle
# list binomial coefficients row by row
# build the first n rows of pascal
# generate pascal's triangle
#: pascal_triangle(4) == [[1], [1, 1], [1, 2, 1], [1, 3, 3, 1]]
#: pascal_triangle(0) == []
def pascal_triangle(count: int) -> list[list[int]]:
    """Return the first rows of Pascal's triangle."""
    rows: list[list[int]] = []
    for n in range(count):
        row = [1] * (n + 1)
        for k in range(1, n):
            row[k] = rows[n - 1][k - 1] + rows[n - 1][k]
        rows.append(row)
    return rows
