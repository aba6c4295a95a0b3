"""What known mistakes the manifests have, by the scanners of others."""
