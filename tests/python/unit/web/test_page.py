"""The chat page of `ferroscope serve` in a real headless Chromium."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ferroscope.testing import Answer, Cut, ProviderServer, Reasoning, Stall, Text, ToolCall, ToolCalls, Usage

from .redis_server import skip_or_fail
from .serving import served

HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\"> <script>document.title='owned'</script> "
    "![a](https://evil.example/?q=1) [c](javascript:document.title='owned')"
)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        skip_or_fail("chromium and chromedriver are not installed (Debian: apt-get install chromium chromium-driver)")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    profile = tmp_path_factory.mktemp("chromium")
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--window-size=900,700",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(driver, log_output=os.devnull)
    browser = webdriver.Chrome(options=options, service=service)
    try:
        yield browser
    finally:
        browser.quit()


@pytest.fixture
def provider(own_provider: ProviderServer) -> ProviderServer:
    own_provider.wait_closed()
    own_provider.forget()
    return own_provider


@pytest.fixture
def page(chromium: Any, helper: str, provider: ProviderServer) -> Any:
    chromium.get(helper)
    chromium.execute_script("sessionStorage.clear()")
    chromium.get(helper)
    chromium.get_log("browser")
    return chromium


def wait(condition: Callable[[], Any]) -> Any:
    """Wait until something holds; the page changes on its own while an answer arrives."""
    from selenium.common.exceptions import StaleElementReferenceException

    end = time.monotonic() + 90
    while True:
        try:
            if found := condition():
                return found
        except StaleElementReferenceException:
            pass
        assert time.monotonic() < end, "the page did not come to this state"
        time.sleep(0.02)


def find(page: Any, selector: str) -> list[Any]:
    return list(page.find_elements("css selector", selector))


def text_of(page: Any, selector: str) -> str:
    return "\n".join(element.get_property("textContent") for element in find(page, selector))


def ask(page: Any, text: str, box: str = "question") -> None:
    """Type into a box, once it has the focus. A page gets its focus a moment after it is loaded."""
    from selenium.webdriver.common.keys import Keys

    wait(lambda: page.switch_to.active_element.get_attribute("id") == box)
    page.switch_to.active_element.send_keys(text, Keys.ENTER)


def is_visible(page: Any, selector: str) -> bool:
    return any(element.is_displayed() for element in find(page, selector))


def test_an_answer_streams_with_reasoning_tools_tokens_and_cost(page: Any, provider: ProviderServer) -> None:
    provider.reply(
        Answer(
            Reasoning("The user asks about Oslo."),
            ToolCalls(ToolCall("weather", {"city": "Oslo"})),
            usage=Usage(1000, 200),
        ),
        Answer(Text("It is sunny in Oslo today. ", 6), usage=Usage(2000, 50)),
    )
    ask(page, "How is the weather?")
    wait(lambda: text_of(page, ".assistant .facts"))
    assert text_of(page, ".assistant .text") == "It is sunny in Oslo today. "
    assert "Oslo" in text_of(page, ".tool .input")
    assert text_of(page, ".tool .output") == "sun in Oslo"
    assert text_of(page, ".tool summary") == "Tool weather"
    facts = text_of(page, ".assistant .facts")
    assert facts.startswith("3000 tokens in · 250 out · $0.0006")
    assert not is_visible(page, "#stop")
    assert text_of(page, "#status") == "Answer complete."
    assert [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_the_next_question_has_the_history(page: Any, provider: ProviderServer) -> None:
    provider.reply("First.", "Second.")
    ask(page, "One?")
    wait(lambda: text_of(page, ".assistant .facts"))
    ask(page, "Two?")
    wait(lambda: len(find(page, ".facts")) == 2)
    roles = [(message["role"], message["content"]) for message in provider.requests[1].json["messages"]]
    assert roles == [("user", "One?"), ("assistant", "First."), ("user", "Two?")]


@pytest.mark.parametrize("how", ["button", "escape"])
def test_stop_closes_the_upstream(page: Any, provider: ProviderServer, how: str) -> None:
    from selenium.webdriver.common.keys import Keys

    provider.reply(Stall(Answer(Text("one two three ", 3)), after=3))
    ask(page, "Go on.")
    wait(lambda: "one" in text_of(page, ".assistant .text"))
    assert is_visible(page, "#stop")  # while it streams
    assert find(page, ".assistant")[0].get_attribute("aria-busy") == "true"
    if how == "button":
        find(page, "#stop")[0].click()
    else:
        page.switch_to.active_element.send_keys(Keys.ESCAPE)
    provider.wait_closed(60.0)
    assert provider.requests[0].outcome == "abandoned"
    wait(lambda: "Stopped." in text_of(page, ".assistant .facts"))
    wait(lambda: text_of(page, "#status") == "Answer stopped.")
    wait(lambda: is_visible(page, "#send"))


def test_a_reload_in_mid_answer_resumes(page: Any, provider: ProviderServer) -> None:
    provider.reply(Stall(Answer(Text("one two three four ", 4)), after=3, seconds=5))
    ask(page, "Go on.")
    wait(lambda: "one" in text_of(page, ".assistant .text"))
    page.refresh()
    wait(lambda: text_of(page, ".assistant .facts"))
    assert text_of(page, ".user .text") == "Go on."
    assert text_of(page, ".assistant .text") == "one two three four "
    assert len(find(page, ".assistant")) == 1
    assert len(provider.requests) == 1
    assert provider.requests[0].outcome == "complete"
    page.refresh()  # the finished chat stays, and nothing is asked again
    wait(lambda: text_of(page, ".assistant .text") == "one two three four ")
    assert len(provider.requests) == 1


def test_an_answer_that_breaks_shows_the_error_and_keeps_the_text(page: Any, provider: ProviderServer) -> None:
    provider.reply(Cut(Answer(Text("word " * 300, 300)), at=9000))
    ask(page, "Go on.")
    wait(lambda: text_of(page, ".error"))
    assert text_of(page, ".error") == "The answer broke off."
    assert find(page, ".error")[0].get_attribute("role") == "alert"
    assert "word word" in text_of(page, ".assistant .text")
    assert is_visible(page, "#send")


def test_hostile_content_stays_text(page: Any, provider: ProviderServer) -> None:
    provider.reply(
        Answer(Reasoning(HOSTILE), ToolCalls(ToolCall("weather", {"city": HOSTILE}))),
        Answer(Text(HOSTILE, 5)),
    )
    title = page.title
    ask(page, HOSTILE)
    wait(lambda: text_of(page, ".assistant .facts"))
    assert text_of(page, ".assistant .text") == HOSTILE
    assert text_of(page, ".user .text") == HOSTILE
    assert text_of(page, ".tool .output") == f"sun in {HOSTILE}"
    assert find(page, "main img, main script, main a, main iframe") == []
    assert page.title == title
    page.refresh()  # from the stored chat
    wait(lambda: text_of(page, ".assistant .text") == HOSTILE)
    assert find(page, "main img, main script, main a, main iframe") == []


def test_the_page_has_names_for_a_screen_reader_and_a_place_for_the_keyboard(page: Any) -> None:
    (log,) = find(page, "[role=log]")
    assert log.accessible_name == "Conversation"
    wait(lambda: page.switch_to.active_element.get_attribute("id") == "question")
    box = page.switch_to.active_element
    assert box.get_attribute("id") == "question"
    assert box.accessible_name.startswith("Message")
    assert {button.accessible_name for button in find(page, "button") if button.is_displayed()} == {"New chat", "Send"}
    assert find(page, "html")[0].get_attribute("lang") == "en"


def test_the_page_fits_a_phone(page: Any, provider: ProviderServer) -> None:
    provider.reply(Answer(Text("word" * 200)))
    page.set_window_size(500, 800)
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    )
    try:
        ask(page, "Go on.")
        wait(lambda: text_of(page, ".assistant .facts"))
        assert page.execute_script("return document.documentElement.scrollWidth <= innerWidth")
        (send,) = [button for button in find(page, "#send") if button.is_displayed()]
        assert send.size["height"] >= 44
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.set_window_size(900, 700)


def test_the_page_asks_for_the_key(chromium: Any, provider: ProviderServer, tmp_path: Path) -> None:
    with served(tmp_path, provider, "app:assistant", FERROSCOPE_SERVE_KEY="right-key") as (url, _):
        chromium.get(url)
        ask(chromium, "Hi?")
        wait(lambda: is_visible(chromium, "#key"))
        wait(lambda: "key" in text_of(chromium, ".error"))
        ask(chromium, "right-key", "key")
        wait(lambda: not is_visible(chromium, "#key"))
        provider.reply("Hello.")
        ask(chromium, "Hi?")
        wait(lambda: text_of(chromium, ".assistant .text") == "Hello.")
    assert len(provider.requests) == 1
