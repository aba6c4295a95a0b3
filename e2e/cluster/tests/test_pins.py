"""The versions in settings.py, go.mod and the manifests name the same things."""

import re

import yaml

from e2e.cluster import kind, node_image, settings

GO_MOD = (settings.NODE / "go.mod").read_text()


def required(module: str) -> str:
    found = re.search(rf"^\s*(?:require )?{re.escape(module)} (v\S+)", GO_MOD, re.MULTILINE)
    assert found, module
    return found[1]


def test_kubernetes_and_every_staging_module_are_of_one_version() -> None:
    assert required("k8s.io/kubernetes") == settings.KUBERNETES
    staging = re.findall(r"=> k8s\.io/\S+ (v\S+)", GO_MOD)
    assert len(staging) > 20
    assert set(staging) == {settings.KUBERNETES.replace("v1.", "v0.", 1)}


def test_kind_coredns_and_metrics_server_are_the_pinned_ones() -> None:
    assert required("sigs.k8s.io/kind") == settings.KIND
    assert required("github.com/coredns/coredns") == settings.COREDNS_TAG
    assert required("sigs.k8s.io/metrics-server") == settings.METRICS_SERVER
    assert settings.LOCAL_PATH in (settings.NODE / "localpath" / "go.mod").read_text()


def test_every_image_a_manifest_names_is_side_loaded() -> None:
    loaded = {*node_image.SCRATCH_IMAGES, node_image.KUBE_PROXY, settings.BASE_IMAGE}
    manifests = (settings.NODE / "storage.yaml", settings.NODE.parent / "manifests" / "metrics-server.yaml")
    for manifest in manifests:
        named = re.findall(r"^\s*image: (\S+)", manifest.read_text(), re.MULTILINE)
        assert named
        assert set(named) <= loaded


def test_a_built_node_brings_its_network_and_only_loopback_is_mapped() -> None:
    built = yaml.safe_load(kind.configuration(built=True))
    published = yaml.safe_load(kind.configuration(built=False))
    assert built["networking"]["disableDefaultCNI"] is True
    assert published["networking"]["disableDefaultCNI"] is False
    mappings = built["nodes"][0]["extraPortMappings"]
    assert {mapping["listenAddress"] for mapping in mappings} == {"127.0.0.1"}
    assert mappings[0]["containerPort"] == 30080
