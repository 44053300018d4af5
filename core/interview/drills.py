"""One short exercise for each anchor, of our own writing: what to say next time, and how to practise it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.interview import rubric
from core.interview.model import Kind


@dataclass(frozen=True)
class Drill:
    """`advice` is what the next answer needs, `exercise` how to train it in a few minutes without anybody."""

    advice: str
    exercise: str


_COMMON: Mapping[str, Drill] = {
    "R1": Drill(
        "Stay with what was asked from the first sentence on.",
        "Read the question aloud, then say in one sentence what it wants to know. Begin your answer with that.",
    ),
    "R2": Drill(
        "Answer the question itself before you explain anything around it.",
        "Write your answer as a single sentence. Only then add what led to it.",
    ),
    "R3": Drill(
        "Answer every part of the question.",
        "Count the verbs and question words in the question. Give each of them one sentence, in the same order.",
    ),
    "R4": Drill(
        "Say why this matters for the role you want.",
        "Pick three answers and end each with: “In this role I would use that when …”.",
    ),
    "E1": Drill(
        "Name one concrete thing: a place, a tool, a person's role, a date.",
        "Take an answer and replace three general words with the names of what you really saw or used.",
    ),
    "E2": Drill(
        "Say what you did yourself, in the first person, before you speak of the team.",
        "Tell the story again and let no sentence begin with “we”. Notice which ones become hard to say.",
    ),
    "E3": Drill(
        "Say what came of it.",
        "Finish this sentence for five of your stories: “Afterwards, … was different, because …”.",
    ),
    "E4": Drill(
        "Say how you know it worked: a number, a before and after, or something one could check.",
        "For five of your stories note what could be counted: time, errors, money, people. Look the figures up.",
    ),
    "C1": Drill(
        "Use shorter sentences with one thought each.",
        "Record one answer and write it down. Cut every sentence that has more than one “and”.",
    ),
    "C2": Drill(
        "Tell it so that the end fits the beginning.",
        "Draw the story as a line of events first. Tell it along the line, without jumping back.",
    ),
    "C3": Drill(
        "Leave out what does not serve the question.",
        "Tell the answer in five sentences. Add a sixth only if somebody would ask for it.",
    ),
    "C4": Drill(
        "Aim for about one to two minutes.",
        "Set a timer to 90 seconds and tell the same answer three times. Keep what is left in the third.",
    ),
}
_STORY: Mapping[str, Drill] = {
    "S1": Drill(
        "Begin with one particular time and place.",
        "Start five stories with “It was … and I was …”, each in no more than two sentences.",
    ),
    "S2": Drill(
        "Say what you had to achieve, before what you did.",
        "For each of your stories finish the sentence: “My task was to … by …”.",
    ),
    "S3": Drill(
        "Give your actions one after the other.",
        "Tell what you did with “first”, “then” and “after that”, one action in each sentence.",
    ),
    "S4": Drill(
        "Close the story: end with what came of it.",
        "Write only the last sentence of five stories. Each should be able to stand alone.",
    ),
    "D1": Drill(
        "Show where you had to choose or judge.",
        "Find the moment in each story at which you could have done something else. Name both ways.",
    ),
    "D2": Drill(
        "Give the reason for your choice, or the alternative you did not take.",
        "After each action in a story say “because”, and finish that sentence honestly.",
    ),
    "D3": Drill(
        "Say what was difficult and how you dealt with it.",
        "For each story finish: “The hardest part was …, so I …”.",
    ),
    "D4": Drill(
        "Say what you took from it, and where you used that since.",
        "For each story finish: “Since then I always …, for example when …”.",
    ),
}
_EXPLANATION: Mapping[str, Drill] = {
    "S1": Drill(
        "Begin with your position or a definition.",
        "Answer five questions of your field in one sentence each. That sentence is how you begin.",
    ),
    "S2": Drill(
        "Walk through your reasoning step by step.",
        "Explain one decision to somebody outside your field, with a “so” between any two steps.",
    ),
    "S3": Drill(
        "Show it with an example or a case.",
        "Collect one real case for each topic in the job advert, and tell each in three sentences.",
    ),
    "S4": Drill(
        "Close with the trade-off or a summary in one sentence.",
        "End each explanation with: “In short, …, at the price of …”.",
    ),
    "D1": Drill(
        "Make sure that the core idea is right and said early.",
        "Look up one topic of the advert, close the page, and explain its core in three sentences.",
    ),
    "D2": Drill(
        "Explain why it works, not only that it does.",
        "Ask yourself “why?” three times in a row about one thing that you do by habit.",
    ),
    "D3": Drill(
        "Name a limit, an edge case or what it costs.",
        "For each method you use, finish: “I would not do this if …”.",
    ),
    "D4": Drill(
        "Compare it with an alternative, or with a failure you have seen.",
        "Take one choice of yours and make the best case you can for its opposite.",
    ),
}


def drill(anchor: str, kind: Kind) -> Drill:
    """The exercise for an anchor, as that kind of question means it."""
    told_as_story = rubric.anchors(kind)[anchor] == rubric.anchors("behavioural")[anchor]
    special = _STORY if told_as_story else _EXPLANATION
    return special.get(anchor) or _COMMON[anchor]
