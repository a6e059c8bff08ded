"""The Converse format of Amazon Bedrock."""
