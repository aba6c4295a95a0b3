"""CodeModels made up from the schema, against real admission."""
