"""Answers of our own writing that tests send."""

STORY = (
    "When our shop changed its till software last spring I was asked to train the new staff. First I sat with the "
    "two people who feared it most, then I wrote a one page guide, because the manual had 80 pages. It was hard "
    "to find time, so I did it before opening. In the end errors fell from 12 to 3 a day within two weeks."
)
