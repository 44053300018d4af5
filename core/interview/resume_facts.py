"""What a resume or a job description says, found by local rules: no network, no AI, same answer every time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from core.interview.text import folded, holds

MOST_HIGHLIGHTS = 5
MOST_SKILLS = 20
MOST_DATES = 10
MOST_TERMS = 20
SHORTEST, LONGEST = 30, 160
LEAST_STRENGTH = 3


@dataclass(frozen=True)
class ResumeFacts:
    """`highlights`, `skills` and `dates` are verbatim pieces of the text; `sections` are names from `SECTIONS`."""

    highlights: tuple[str, ...]
    skills: tuple[str, ...]
    sections: tuple[str, ...]
    dates: tuple[str, ...] = ()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SECTIONS: dict[str, str] = {
    "summary": r"(professional |career |executive )?(summary|profile|objective)|about me",
    "experience": r"(work |professional |relevant |employment )?(experience|history)|employment|career history",
    "education": r"education( and training)?|academic background",
    "skills": r"(technical |key |core |soft )?(skills|competencies|competences)|technologies|skills and tools",
    "projects": r"(personal |selected |key |side )?projects|portfolio",
    "certifications": r"certifications?|licen[sc]es|courses|training",
    "languages": r"languages",
    "publications": r"(selected )?publications|research|patents",
    "awards": r"(honou?rs and )?awards|achievements|honou?rs",
    "volunteering": r"volunteering|volunteer (work|experience)|community",
    "interests": r"interests|hobbies",
    "references": r"references|referees",
}
_HEADINGS = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in SECTIONS.items()}

_VERBS = _words("""
    accelerated achieved acquired administered advised assessed assisted cared analysed analyzed architected
    audited authored automated averted boosted built championed closed coached collaborated conducted
    consolidated coordinated created cut debugged decreased delivered deployed designed developed devised
    diagnosed directed doubled drove earned eliminated enabled engineered established exceeded expanded
    facilitated founded generated grew guided halved handled headed hired identified implemented improved
    increased initiated integrated introduced invented launched led lifted lowered maintained managed mentored
    migrated modernised modernized negotiated operated optimised optimized organised organized overhauled
    oversaw owned partnered piloted planned prevented produced programmed promoted proposed published raised
    rebuilt recovered recruited redesigned reduced refactored released replaced researched resolved restored
    restructured revamped rolled saved scaled secured served shipped shortened simplified sold solved sped
    spearheaded standardised standardized started steered streamlined strengthened supervised supported taught
    tested trained transformed treated tripled tuned turned upgraded won wrote
""")
_OUTCOME = re.compile(
    r"\b(by \W?\d|from \W?\d[^.;]{0,60} to|resulting|so that|(reduc|increas|sav|cutt|improv|rais)ing"
    r"|reduced|increased|raised|saved|cut|grew|improved|boosted|doubled|tripled|halved|won)\b",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"\d")
_MEASURE = re.compile(
    r"\d\s?(%|x\b|k\b|m\b|percent|million|billion|hours?\b|days?\b|ms\b)|[$€£]\s?\d", re.IGNORECASE
)
_YEAR = re.compile(r"\b(19|20)\d\d\b|\b\d{1,2}[/.]\d{2,4}\b")
_LINK = r"@|https?:|www\.|[\w-]\.(?:com|org|dev|me|co)\b|[\w-]\.(?:net|io|ai|app)/"
_MONTH = r"(?:(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]{0,6}\.? |(?:0?[1-9]|1[0-2])[/.])"
_POINT = rf"(?:{_MONTH})?\b(?:19|20)\d\d\b"
_PERIOD = re.compile(
    rf"\b{_POINT}(?: ?(?:-|\u2013|\u2014|to|until) ?(?:{_POINT}|present|now|today|current|ongoing)\b)?",
    re.IGNORECASE,
)
_CONTACT = re.compile(
    rf"{_LINK}|\b(linkedin|github|gitlab|e-?mail|phone|mobile|telephone|address|nationality)\b"
    r"|\bdate of birth\b|\btel[:.]"
    r"|(?:\d[\s().+/-]*){9,}|\b\d{3}[-. ]\d{4}\b",
    re.IGNORECASE,
)
_ADDRESSES_READER = re.compile(
    r"\b(ignore|ignoring|disregard|forget|override|pretend|obey)\b"
    r"|\b(you|your|yours|yourself)\b|\b(dear|please|do not|don't|must|should)\b"
    r"|\b(previous|prior|above|following|new|system|hidden)\W+(instruction|prompt|message|rule|direction)s?\b"
    r"|\b(system|assistant|user|developer|ai|model|interviewer|recruiter|grader|reviewer)\s*:"
    r"|\bas an? (ai|llm|assistant|(large )?language model)\b|\bnote to\b|\bjailbreak|\bsystem prompt\b"
    r"|\b(respond|reply|answer|output) (with|only|in|as|the)\b"
    r"|\b(give|rate|rank|score|grade|hire|select|recommend|accept|approve) (me|this|the (candidate|applicant))\b"
    r"|\bthis (candidate|applicant|resume|cv)\b|\b(highest|maximum|perfect|full) (score|rating|grade|marks?)\b"
    r"|[<>{}`\[\]|\\]|###",
    re.IGNORECASE,
)
# Cyrillic or Greek letters inside a Latin word disguise phrases; the micro sign (\u03bc) is honest.
_DISGUISED = re.compile(r"[a-z][\u0370-\u03bb\u03bd-\u052f]|[\u0370-\u03bb\u03bd-\u052f][a-z]", re.IGNORECASE)
_BULLET = re.compile(
    r"^[\s\u2022\u25cf\u25aa\u25e6\u2023\u2043\u2219\u00b7*\-\u2013\u2014>\u27a4\u2713o]*(?<![A-Za-z])(?:\d{1,2}[.)]\s+)?"
)
_SENTENCE_END = re.compile(r"(?<=[a-z0-9%)][.;])\s+(?=[A-Z])")

_KNOWN_SKILLS = re.compile(
    r"(?<![\w.])(python|javascript|typescript|java|kotlin|swift|c\+\+|c#|golang|rust|ruby|php|scala|sql|html|css|bash"
    r"|react|angular|vue|django|flask|fastapi|spring(?: boot)?|node\.js|\.net|rails|graphql|rest apis?"
    r"|postgresql|mysql|mongodb|redis|kafka|spark|airflow|dbt|snowflake|bigquery|elasticsearch"
    r"|aws|azure|gcp|google cloud|docker|kubernetes|terraform|ansible|linux|git|ci/cd|jenkins|prometheus|grafana"
    r"|pandas|numpy|scikit-learn|pytorch|tensorflow|machine learning|deep learning|nlp|statistics|a/b testing"
    r"|excel|power bi|tableau|looker|sap|salesforce|hubspot|jira|figma|photoshop|autocad|solidworks|matlab"
    r"|agile|scrum|kanban|project management|product management|stakeholder management|budgeting|forecasting"
    r"|accounting|payroll|recruiting|negotiation|copywriting|seo|google analytics|crm|lean|six sigma"
    r"|patient care|triage|customer service|teaching|logistics|supply chain)(?![\w+#])",
    re.IGNORECASE,
)


def facts(text: str) -> ResumeFacts:
    """Highlights (strongest first), skills, sections and dates of a cleaned resume. Never raises."""
    lines = text.splitlines()
    told = (line for line in lines if not _CONTACT.search(line))  # a date of birth is nobody's business
    dates = dict.fromkeys(match.group() for line in told for match in _PERIOD.finditer(line))
    return ResumeFacts(_highlights(lines), _skills(text, lines), _sections(lines), tuple(dates)[:MOST_DATES])


def keyword_coverage(resume: str, job: str, most: int = MOST_TERMS) -> Mapping[str, bool]:
    """The job description's terms, commonest first, and whether the resume names them; one or many is the same."""
    whole = folded(resume)
    return {term: any(holds(whole, form) for form in _forms(term)) for term in terms(job, most)}


def _forms(term: str) -> tuple[str, ...]:
    other = term.removesuffix("s") if term.endswith("s") and not term.endswith("ss") else f"{term}s"
    return term, other


def section_of(line: str) -> str | None:
    """The section this line is the heading of; None for any other line."""
    heading = line.strip(" \t:#*-_.").replace("&", "and")
    if not 4 <= len(heading) <= 40:
        return None
    return next((name for name, pattern in _HEADINGS.items() if pattern.fullmatch(heading)), None)


def _sections(lines: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for line in lines if (name := section_of(line))))


def _highlights(lines: list[str]) -> tuple[str, ...]:
    found: dict[str, int] = {}
    for line in lines:
        # A whole line is judged before its sentences: a harmless half of an instruction is no achievement.
        if _is_unsuitable(line):
            continue
        for sentence in [line] if len(line) <= LONGEST else _SENTENCE_END.split(line):
            piece = _BULLET.sub("", sentence).strip()
            if SHORTEST <= len(piece) <= LONGEST and (score := _strength(piece)) >= LEAST_STRENGTH:
                found.setdefault(piece, score)
    return tuple(sorted(found, key=lambda piece: -found[piece])[:MOST_HIGHLIGHTS])


def _is_unsuitable(line: str) -> bool:
    bare = line.strip()
    is_heading = bare.endswith(":") or bare.isupper() or section_of(bare) is not None
    return len(bare) < SHORTEST or is_heading or _is_tainted(bare)


def _is_tainted(line: str) -> bool:
    """Contact data, or words meant for whoever reads the resume, a model included."""
    return any(pattern.search(line) for pattern in (_CONTACT, _ADDRESSES_READER, _DISGUISED))


def _strength(line: str) -> int:
    """How much a line looks like an achievement: an action verb first (3), a number (2), a measure, an outcome."""
    words = re.findall(r"[a-z]+", line.lower())
    without_years = _YEAR.sub("", line)
    score = 0
    if words and (words[0] in _VERBS or (words[1:2] and words[0].endswith("ly") and words[1] in _VERBS)):
        score += 3
    elif _VERBS.intersection(words):
        score += 1
    score += 2 * bool(_AMOUNT.search(without_years))
    score += bool(_MEASURE.search(without_years))
    return score + bool(_OUTCOME.search(line))


def _skills(text: str, lines: list[str]) -> tuple[str, ...]:
    """The entries of the skills section, then well-known skills named anywhere; spelled as in the text."""
    listed: list[str] = []
    inside = False
    for line in lines:
        if section := section_of(line):
            inside = section == "skills"
        elif inside and not _is_tainted(line.replace("|", ",")):
            after_label = re.sub(r"^[^:,]{3,30}:", "", _BULLET.sub("", line))
            listed += [item.strip(" .") for item in re.split(r"[,;|\u2022\u00b7\t]|\s{2,}", after_label)]
    listed += [match.group() for match in _KNOWN_SKILLS.finditer(text)]
    unique: dict[str, str] = {}
    for item in listed:
        if 1 <= len(item) <= 40 and len(item.split()) <= 4:
            unique.setdefault(item.lower(), item)
    return tuple(unique.values())[:MOST_SKILLS]


_STOP_WORDS = _words("""
    a about above across after all also am an and any are as at be because been before being below between
    both but by can could did do does doing down during each etc few for from further had has have having he
    her here hers him his how i if in into is it its itself just like ll may me might more most must my no nor
    not of off on once only or other our ours out over own per re s same she should so some such t than that
    the their them then there these they this those through to too under until up us ve very via want wanted
    wants was we were what when where which while who whom why will with within without would you your yours
    i'm we're you'll you're we'll don't what's ability able applicant applicants apply benefits candidate
    candidates career client clients company day deliver description duties employee employer ensure
    environment equal excellent experience experienced familiar field full good great help high highly hire
    hiring ideal including industry job join knowledge level long looking make many minimum month months need
    new offer office opportunity opportunities part people plus position preferred prefer proven provide
    qualifications related relevant required requirements responsibilities responsible role salary seeking
    skill skills solid strong successful take team teams time understanding use used using well work worked
    working world year years january february march april june july august september october november december
    nice jan feb mar apr jun jul aug sep sept oct nov dec present and/or
""")
_TOKEN = re.compile(
    r"\b[A-Za-z]{1,3}/[A-Za-z]{1,3}\b"
    r"|(?:(?<!\S)\.)?[^\W\d_](?:[^\W_]|[+#]|[&.'\u2019-](?=[^\W_]))*"
    r"|[.!?;:,()|/\n\u2022]"
)


def terms(text: str, most: int = 30) -> tuple[str, ...]:
    """Job-related words and word pairs, lower case, by frequency then position; a pair counts from twice on."""
    counts: Counter[str] = Counter()
    previous = ""
    without_links = re.sub(r"\S+", lambda word: ";" if re.search(_LINK, word.group()) else word.group(), text)
    for token in _TOKEN.findall(without_links):
        word = token.lower().replace("\u2019", "'").removesuffix("'s")
        if word in _STOP_WORDS or not _is_term(token):
            previous = ""
            continue
        counts[word] += 1
        if previous:
            counts[f"{previous} {word}"] += 1
        previous = word
    wanted = [term for term, count in counts.items() if count > 1 or " " not in term]
    # A Counter keeps first-seen order and sorting is stable, so equal counts stay in order of appearance.
    return tuple(sorted(wanted, key=lambda term: -counts[term])[: max(most, 0)])


def _is_term(token: str) -> bool:
    """A token with two characters or more, or the languages C and R; never punctuation."""
    return token in ("C", "R") or (len(token) > 1 and any(map(str.isalpha, token)))
