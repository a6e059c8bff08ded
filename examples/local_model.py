"""A model on this machine, through Ollama (`ollama pull llama3.2`). Its calls are free.

Run it with `python local_model.py "Name three trees."`.
"""

import sys

from ferroscope import llm


@llm.call("ollama/llama3.2", stream=True)
def ask(question: str) -> str:
    return question


if __name__ == "__main__":
    stream = ask(sys.argv[1])
    for chunk, _ in stream:
        print(chunk.content, end="", flush=True)
    print(f"\n{stream.output_tokens} tokens")
