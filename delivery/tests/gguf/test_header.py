"""What a header says, and that nothing it says does harm."""

import struct
import tracemalloc

import pytest
from gguf import GGMLQuantizationType, LlamaFileType
from hypothesis import given, settings
from hypothesis import strategies as st

from codemodel_delivery.gguf.errors import GGUFError, NotAModel, UnsupportedModel
from delivery.tests.gguf.models import (
    ARRAY,
    INNER,
    STRING,
    TOKENS,
    U8,
    U32,
    WIDTH,
    array,
    file,
    header_of,
    model,
    pair,
    tensor,
    text,
)

_WHOLE = model(file_type=LlamaFileType.MOSTLY_F16)
_LLAMA = pair("general.architecture", STRING, text("llama"))
_MATRIX_NUMBERS = 2 * len(TOKENS) * WIDTH + 2 * (WIDTH * WIDTH + WIDTH * INNER)


def _number(key: str, value: int) -> bytes:
    return pair(key, U32, struct.pack("<I", value))


_NUMBERS = [
    _LLAMA,
    _number("llama.block_count", 2),
    _number("llama.embedding_length", 64),
    _number("llama.attention.head_count", 4),
]


def test_a_header_describes_the_model() -> None:
    header = header_of(_WHOLE)
    assert (header.architecture, header.name, header.quantization) == ("llama", "tiny", "F16")
    assert (header.context_length, header.embedding_length, header.block_count) == (2048, WIDTH, 2)
    assert (header.heads, header.kv_heads) == ((8, 8), (2, 2))
    assert (header.key_length, header.value_length) == (32, 32)
    assert (header.vocabulary, header.merges) == (len(TOKENS), 0)
    assert header.parameters == _MATRIX_NUMBERS + 2 * WIDTH
    assert header.weight_bytes == 2 * _MATRIX_NUMBERS + 4 * 2 * WIDTH
    assert header.size == len(_WHOLE) == header.data_offset + header.weight_bytes


def test_layers_may_differ_and_heads_have_a_length_of_their_own() -> None:
    numbers = {"llama.attention.key_length": 48, "llama.attention.value_length": 40}
    header = header_of(model(kv_heads=[0, 4], numbers=numbers))
    assert header.kv_heads == (0, 4)
    assert (header.key_length, header.value_length) == (48, 40)


@pytest.mark.parametrize(
    ("kind", "file_type", "name"),
    [
        (GGMLQuantizationType.Q4_K, LlamaFileType.MOSTLY_Q4_K_M, "Q4_K_M"),
        (GGMLQuantizationType.Q4_K, None, "Q4_K"),
        (GGMLQuantizationType.Q8_0, 99, "Q8_0"),
    ],
)
def test_the_quantization_is_named_by_the_file_or_else_by_its_tensors(
    kind: GGMLQuantizationType, file_type: int | None, name: str
) -> None:
    assert header_of(model(kind=kind, file_type=file_type)).quantization == name


def test_a_large_vocabulary_is_passed_over() -> None:
    content = model(tokens=[f"token{index:07}" for index in range(150_000)])
    tracemalloc.start()
    header = header_of(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert header.vocabulary == 150_000
    # The blocks that were read, and no token.
    assert peak < 2 << 20


def test_version_2_is_read() -> None:
    assert header_of(_WHOLE[:4] + struct.pack("<I", 2) + _WHOLE[8:]) == header_of(_WHOLE)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "does not begin with GGUF", id="nothing"),
        pytest.param(b"<html>", "give the URL of a GGUF model's file itself", id="a page"),
        pytest.param(_WHOLE[:8], "truncated", id="ends at once"),
        pytest.param(_WHOLE[:3000], "truncated", id="ends in the header"),
        pytest.param(_WHOLE[:-1], "the file is truncated", id="ends in the tensors"),
        pytest.param(file(counts=(1 << 40, 0)), "counts 1099511627776 tensors", id="many tensors"),
        pytest.param(file(counts=(0, 1 << 63)), "damaged", id="many keys"),
        pytest.param(file(struct.pack("<Q", 1 << 62)), "a name of", id="a long name"),
        pytest.param(file(pair("a", STRING, struct.pack("<Q", 1 << 63))), "damaged", id="a long text"),
        pytest.param(file(pair("a", ARRAY, array(STRING, 1 << 60))), "an array of", id="many texts"),
        pytest.param(file(pair("a", ARRAY, array(U8, 1 << 60))), "goes on behind", id="many numbers"),
        pytest.param(file(pair("a", ARRAY, array(77, 1))), "unknown type 77", id="an unknown array"),
        pytest.param(file(pair("a", 77, b"")), "unknown type 77", id="an unknown value"),
        pytest.param(file(_LLAMA), "only a vocabulary", id="no tensors"),
        pytest.param(file(tensors=[tensor("a", [8])]) + bytes(64), "no architecture", id="no architecture"),
        pytest.param(file(tensors=[tensor("a", [2] * 5)]), "5 dimensions", id="five dimensions"),
        pytest.param(file(tensors=[tensor("a", [1 << 63, 1 << 63])]), "shape", id="a giant"),
        pytest.param(file(tensors=[tensor("a", [0])]), "shape", id="an empty tensor"),
        pytest.param(file(tensors=[tensor("a", [100], kind=12)]), "Q4_K has the shape", id="half a block"),
        pytest.param(file(_number("general.alignment", 3)), "power of two", id="a crooked alignment"),
        pytest.param(file(_number("general.alignment", 0)), "power of two", id="no alignment"),
        pytest.param(
            file(*_NUMBERS[:2], _number("llama.embedding_length", 0), tensors=[tensor("a", [8])]) + bytes(64),
            "width 0",
            id="no width",
        ),
        pytest.param(
            file(*_NUMBERS[:3], pair("llama.attention.head_count", ARRAY, array(U32, 1, bytes(4))),
                 tensors=[tensor("a", [8])]) + bytes(64),
            "for 1 of 2 layers",
            id="too few layers",
        ),
    ],
)  # fmt: skip
def test_what_is_no_model_is_told_so(content: bytes, message: str) -> None:
    with pytest.raises(NotAModel, match=message):
        header_of(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(_WHOLE[:4] + struct.pack(">I", 3) + _WHOLE[8:], "big-endian", id="big-endian"),
        pytest.param(file(version=1), "version 1: convert", id="version 1"),
        pytest.param(file(pair("a", ARRAY, array(ARRAY, 1))), "arrays of arrays", id="nested arrays"),
        pytest.param(file(tensors=[tensor("a", [8], kind=99)]), "unknown type 99", id="a new type"),
        pytest.param(
            file(*_NUMBERS[:3], tensors=[tensor("a", [8])]) + bytes(64),
            "head_count",
            id="not a language model",
        ),
        pytest.param(model(numbers={"split.count": 3}), "merge them", id="a part of a model"),
    ],
)
def test_what_is_not_served_is_told_so(content: bytes, message: str) -> None:
    with pytest.raises(UnsupportedModel, match=message):
        header_of(content)


def test_what_a_file_calls_itself_can_be_shown() -> None:
    content = file(pair("general.architecture", STRING, text("a\nb\0")), tensors=[tensor("a", [8])]) + bytes(
        64
    )
    with pytest.raises(UnsupportedModel, match=r"^the header does not give a�b�\.block_count"):
        header_of(content)


def test_of_a_key_that_comes_twice_the_first_counts() -> None:
    content = file(*_NUMBERS, _number("llama.block_count", 9), tensors=[tensor("a", [8])]) + bytes(64)
    assert header_of(content).block_count == 2


def test_numbers_in_many_arrays_are_not_all_kept() -> None:
    pairs = [pair(f"a{index}", ARRAY, array(U8, 60_000, bytes(60_000))) for index in range(100)]
    tracemalloc.start()
    with pytest.raises(NotAModel, match="only a vocabulary"):
        header_of(file(_LLAMA, *pairs))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The file itself, twice as it is made, and few of its 6 million numbers.
    assert peak < 20 << 20


# Few texts, so that damage hits what has a meaning.
_SMALL = model(tokens=TOKENS[:3], kind=GGMLQuantizationType.Q4_K, file_type=LlamaFileType.MOSTLY_Q4_K_M)
_DAMAGE = st.tuples(
    st.integers(0, header_of(_SMALL).data_offset - 1),
    st.binary(min_size=1, max_size=4)
    | st.sampled_from([value.to_bytes(8, "little") for value in (0, 1, 1 << 20, 1 << 40, (1 << 64) - 1)]),
)


@settings(max_examples=1000)
@given(st.lists(_DAMAGE, min_size=1, max_size=4), st.integers(0, len(_SMALL)) | st.just(len(_SMALL)))
def test_a_damaged_header_is_read_or_refused(damage: list[tuple[int, bytes]], size: int) -> None:
    content = bytearray(_SMALL)
    for offset, values in damage:
        content[offset : offset + len(values)] = values
    try:
        header = header_of(bytes(content[:size]))
    except GGUFError as error:
        message = str(error)
        assert ": " in message and "\n" not in message  # noqa: PT018  # other errors are to go on
    else:
        assert header.data_offset + max(part.size for part in header.tensors) <= header.size


@given(st.binary(max_size=200))
def test_anything_behind_the_magic_number_is_refused(content: bytes) -> None:
    with pytest.raises(GGUFError):
        header_of(b"GGUF" + struct.pack("<I", 3) + content)
