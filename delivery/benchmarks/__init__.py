"""What a verified download costs, beside curl and sha256sum."""
