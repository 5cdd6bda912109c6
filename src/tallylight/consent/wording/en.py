"""English."""

from tallylight.consent.wording.form import Wording
from tallylight.law.vocabulary import Purpose

WORDING = Wording(
    language="en",
    words_per_minute=190,
    first_layer=(
        "{controller} records and stores this call {purpose}, for {months}; your own voice only if you say yes."
        " Our service is the same either way. To withdraw later, press {withdraw}. Privacy policy: {address}."
    ),
    first_layer_informed=(
        "{controller} records and stores this call and your voice {purpose}, for {months}."
        " Our service is the same if you object: press {withdraw} at any time. Privacy policy: {address}."
    ),
    first_layer_agent_only=(
        "{controller} records and stores our employee's voice on this call {purpose}, for {months}."
        " Your own voice is not recorded. Privacy policy: {address}."
    ),
    first_layer_none="Welcome to {controller}. This call is not recorded.",
    question="May we record your voice? Press 1 for yes, 2 for no, or 9 for details.",
    question_again="May we record your voice? Please press 1 for yes or 2 for no.",
    details=(
        "{controller} is responsible for the recording, which rests on your consent alone."
        " It is used {purpose}, heard only by those who need it for that, and deleted after {months} at the latest."
        " A short proof of your yes is kept for {proof_months}."
        " You may ask for a copy or for deletion, and you may complain to the data protection authority."
        " More at {address}."
    ),
    acknowledgement="Thank you. You are now being recorded; to withdraw, press {withdraw} at any time.",
    not_recorded="Your voice is not recorded; our employee's voice is.",
    nothing_recorded="This call is not recorded.",
    withdrawn=(
        "You are no longer recorded. The recording of your voice is deleted; only the proof of your consent is kept."
    ),
    apology="We are sorry, nobody can take your call at the moment. Please call again later.",
    paused="The recording is paused.",
    resumed="The recording continues.",
    purposes={
        Purpose.QUALITY_ASSURANCE: "for quality assurance",
        Purpose.TRAINING: "for staff training",
        Purpose.SERVICE_IMPROVEMENT: "to improve our service",
        Purpose.DOCUMENTATION: "to document what is agreed",
        Purpose.VOICE_RECEIPT: "as a receipt of what is agreed",
        Purpose.COMPLIANCE: "to meet a legal duty",
        Purpose.SECURITY: "for security",
        Purpose.MARKETING: "for marketing",
        Purpose.DISPUTE_EVIDENCE: "as evidence in case of a dispute",
        Purpose.PROOF_OF_CONSENT: "as proof of your consent",
    },
    numbers=("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    digits=("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    star="star",
    hash="hash",
    month="month",
    months="months",
    dot="dot",
    slash="slash",
    dash="dash",
    says_recorded=("records", "recorded", "recording"),
    says_stored=("stores", "stored", "keeps", "kept"),
    says_same_service=("same", "no difference"),
    hedges=("may be recorded", "might be recorded", "can be recorded", "could be recorded"),
    conditions=(
        "must agree",
        "have to agree",
        "cannot continue",
        "cannot help",
        "only help",
        "unless you agree",
        "hang up",
    ),
)
