"""A structured stream in the terminal: the fields of a recipe appear while the model writes them.

Run it with `python live_form.py "pancakes"`.
"""

import sys

from pydantic import BaseModel
from rich.console import Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table

from ferroscope import llm


class Ingredient(BaseModel):
    """An ingredient of a recipe."""

    name: str
    amount: str


class Recipe(BaseModel):
    """A recipe."""

    title: str
    ingredients: list[Ingredient]
    steps: list[str]


@llm.call("openai/gpt-4o-mini", response_model=Recipe, stream=True)
def write(dish: str) -> str:
    return f"Write a recipe for {dish}"


def form(recipe: Recipe) -> RenderableType:
    """Return the view of a recipe. Fields that have not arrived are None."""
    table = Table(show_header=False, box=None)
    for ingredient in recipe.ingredients or []:
        table.add_row(ingredient.amount or "", ingredient.name or "")
    steps = [f"{number}. {step}" for number, step in enumerate(recipe.steps or [], 1)]
    return Panel(Group(table, "", *steps), title=recipe.title or "...")


if __name__ == "__main__":
    stream = write(sys.argv[1])
    with Live() as live:
        for recipe in stream:
            live.update(form(recipe))
    print(f"{stream.cost} USD")
