"""What is asked before a session: the screening's questions and the checklist of the place.

Imports nothing of ours: whoever shows the questions (page, API) and who judges the answers
(`screening.py`) read the same table. Each question is put so that "no" is the unremarkable answer.
"""

from __future__ import annotations

QUESTIONS: dict[str, str] = {  # key of an answer (true: yes) → what is asked
    "poor_balance": "Do you lose your balance, or do you need support to stand or walk safely?",
    "osteoporosis": "Has a doctor told you that you have osteoporosis or brittle bones?",
    "fall_recent": "Have you fallen in the last three months?",
    "fall_year": "Have you fallen in the last twelve months?",
    "dizziness": "Are you dizzy or light-headed now and then, or do you faint?",
    "surgery": "Have you had surgery in the last three months?",
    "pregnancy_late": "Are you in the last three months of a pregnancy?",
    "advised_against": "Has a doctor or therapist advised you against such exercise?",
    "inactive": "Is it more than three months since you last exercised regularly?",
    "sees_stairs": "Does the belt warn of kerbs and of stairs that go down?",
    "silence_is_clear": "Does it mean that the way is clear, when the belt is silent?",
}

PLACE: tuple[str, ...] = (  # all of it holds before a session begins
    "The ground is flat and even, and dry.",
    "No kerb, step, stairs or road lies within the way.",
    "Few people are here, and they can see me.",
    "I wear flat shoes that hold my feet.",
)
