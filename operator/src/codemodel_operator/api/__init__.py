"""The CodeModel API: pydantic models of spec and status, the single source of the CRD."""

GROUP = "codemodel.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "CodeModel"
PLURAL = "codemodels"
