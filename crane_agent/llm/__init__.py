"""A chat model behind an OpenAI-compatible endpoint: one question, one answer in one form, or one line why not."""
