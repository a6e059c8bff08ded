"""An image and a question. Change the model to that of any provider that reads images.

Run it with `python describe_image.py photo.png "What is in the picture?"`.
"""

import sys
from pathlib import Path

from ferroscope import prompt_template
from ferroscope.core import openai


@openai.call("gpt-4o-mini")
@prompt_template(
    """
    USER: {image:image} {question}
    """
)
def describe(image: bytes, question: str) -> None: ...


if __name__ == "__main__":
    response = describe(Path(sys.argv[1]).read_bytes(), sys.argv[2])
    print(response.content)
    print(f"{response.input_tokens} + {response.output_tokens} tokens, {response.cost} USD")
