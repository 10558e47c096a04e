from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.importers.examples import MAX_PASSAGE, MAX_TITLE
from trainer.importers.prose import SHORT, TARGET, passages, split_sentences

SENTENCE = "The quick brown fox jumps over the lazy dog. "


def cut(text: str) -> list[tuple[str, str, int]]:
    return [(passage.title, passage.text, passage.line) for passage in passages(text)]


def test_headings_become_titles_with_those_above() -> None:
    text = "# Help\n\n## Money ##\nPay here.\n\n### **Refunds**\nAsk `us`.\n## Time\nSoon."
    assert cut(text) == [
        ("Help › Money", "Pay here.", 4),
        ("Help › Money › Refunds", "Ask `us`.", 7),
        ("Help › Time", "Soon.", 9),
    ]


def test_underlined_headings() -> None:
    assert cut("Help\n====\n\nMoney\n-----\nPay here.\n\nlast\n\n---\n") == [("Help › Money", "Pay here.\n\nlast", 6)]


def test_an_underline_below_a_paragraph_is_a_rule() -> None:
    assert cut("one\ntwo\n---\nthree") == [("", "one\ntwo\n\nthree", 1)]


def test_a_heading_without_a_name_ends_the_one_before() -> None:
    assert cut("# A\nx y\n# **\nz") == [("A", "x y", 2), ("", "z", 4)]


def test_short_paragraphs_are_put_together_and_long_texts_cut() -> None:
    paragraphs = [f"{number}. " + SENTENCE * 5 for number in range(20)]
    found = cut("\n\n".join(paragraphs))
    assert "\n\n".join(text for _, text, _ in found) == "\n\n".join(paragraph.strip() for paragraph in paragraphs)
    assert all(SHORT <= len(text) <= TARGET for _, text, _ in found)


def test_sentences_stay_whole() -> None:
    found = cut(SENTENCE * 200)
    assert len(found) > 5
    assert all(text.startswith("The quick") and text.endswith("dog.") for _, text, _ in found)
    assert all(SHORT <= len(text) <= TARGET + len(SENTENCE) for _, text, _ in found)


def test_russian_and_chinese_sentences() -> None:
    assert split_sentences("Раз два три. Четыре «пять»! Шесть", 12) == ["Раз два три.", "Четыре «пять»!", "Шесть"]
    assert split_sentences("你好吗？我很好。谢谢", 4) == ["你好吗？", "我很好。", "谢谢"]


def test_abbreviations_do_not_end_sentences() -> None:
    assert split_sentences("See e.g. the list. Then go.", 14) == ["See e.g. the list.", "Then go."]


def test_a_short_rest_joins_the_passage_before() -> None:
    found = cut(SENTENCE * 26 + "\n\nThe end.")
    assert len(found) == 1
    assert found[0][1].endswith("\n\nThe end.")


def test_code_is_not_cut() -> None:
    code = "```python\n" + "\n\n".join(f"line_{number} = 1  # Done. Next" for number in range(50)) + "\n```"
    found = cut(SENTENCE * 20 + "\n\n" + code + "\n\nAfter.")
    assert sum(code in text for _, text, _ in found) == 1
    assert any(text.endswith("After.") for _, text, _ in found)


def test_code_over_the_limit_is_cut_between_lines() -> None:
    lines = [f"line {number}" for number in range(1_000)]
    found = cut("~~~\n" + "\n".join(lines) + "\n~~~\n# not code\nx")
    kept = [line for _, text, _ in found for line in text.split("\n") if line.startswith("line")]
    assert kept == lines
    assert found[-1][:2] == ("not code", "x")


def test_a_fence_is_closed_by_its_own_kind_only() -> None:
    found = cut("````\n```\n~~~\n# a\n````\n# b\nc")
    assert found == [("", "````\n```\n~~~\n# a\n````", 1), ("b", "c", 7)]


def test_lists_are_cut_between_items() -> None:
    items = [f"- item number {number} which is longer than it has to be" for number in range(100)]
    found = cut("\n".join(items))
    assert [line for _, text, _ in found for line in text.split("\n")] == items


def test_blocks_without_a_word_are_dropped() -> None:
    assert cut("...\n\n* * *\n\n???\n\nword") == [("", "word", 7)]


def test_a_paragraph_without_an_end_keeps_all() -> None:
    lines = [SENTENCE.strip() + f" {number}" for number in range(2_000)]
    found = cut("\n".join(lines))
    assert "\n".join(text for _, text, _ in found).split() == " ".join(lines).split()


def test_a_title_is_limited() -> None:
    found = list(passages("# " + "word " * 200 + "\nx", title="Book"))
    assert len(found[0].title) <= 300


def test_runs_of_marks_take_linear_time() -> None:
    for mark in (".", "- ", "* ", "`", "#", '"', ".\u00a0", "!' "):
        for _ in passages(mark * 200_000):
            pass


@given(st.text(alphabet=st.sampled_from("abяЯ .!?\n`~。「"), max_size=6_000))
@settings(deadline=None)
def test_no_letter_is_lost_and_no_passage_too_long(text: str) -> None:
    found = list(passages(text))
    assert all(0 < len(passage.text) <= MAX_PASSAGE for passage in found)
    assert "".join(filter(str.isalpha, "".join(passage.text for passage in found))) == "".join(
        filter(str.isalpha, text)
    )


@given(st.text(alphabet=st.sampled_from("ab .\n#-=_*1"), max_size=3_000))
@settings(deadline=None)
def test_passages_are_in_order_and_within_limits(text: str) -> None:
    found = list(passages(text))
    assert all(0 < len(passage.text) <= MAX_PASSAGE and len(passage.title) <= MAX_TITLE for passage in found)
    assert [passage.line for passage in found] == sorted(passage.line for passage in found)
