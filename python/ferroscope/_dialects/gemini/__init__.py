"""The wire format of Google's Gemini models: `generateContent` and `streamGenerateContent`."""
