"""A dataset on many machines: Parquet in, Parquet out. A second run calls only for rows without an answer.

Run it with `python ray_batch.py reviews.parquet answers 8`. The last argument is the number of worker processes.
"""

import sys
from typing import Literal

import ray
from pydantic import BaseModel

from ferroscope import llm
from ferroscope.batch.ray import map_dataset


class Review(BaseModel):
    """The judgement of a review."""

    mood: Literal["positive", "neutral", "negative"]
    topic: str


@llm.call("openai/gpt-4o-mini", response_model=Review)
async def judge(text: str) -> str:
    return f"Judge this review: {text}"


if __name__ == "__main__":
    reviews = ray.data.read_parquet(sys.argv[1]).repartition(16)
    # The workers import the function by its name.
    judged = map_dataset(
        "ray_batch:judge",
        reviews,
        actors=int(sys.argv[3]),
        concurrency=50,
        budget_usd=5,
        checkpoint="reviews.checkpoint",
    )
    judged.write_parquet(sys.argv[2])
