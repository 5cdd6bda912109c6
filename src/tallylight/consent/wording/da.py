"""Danish."""

from tallylight.consent.wording.form import Wording
from tallylight.law.vocabulary import Purpose

WORDING = Wording(
    language="da",
    words_per_minute=190,
    first_layer=(
        "{controller} optager og gemmer denne samtale {purpose} i {months}; din egen stemme kun, hvis du siger ja."
        " Du får samme service uanset hvad. Du kan fortryde med {withdraw}. Privatlivspolitik: {address}."
    ),
    first_layer_informed=(
        "{controller} optager og gemmer denne samtale og din stemme {purpose} i {months}."
        " Du får samme service, hvis du siger nej: Tryk {withdraw} når som helst. Privatlivspolitik: {address}."
    ),
    first_layer_agent_only=(
        "{controller} optager og gemmer vores medarbejders stemme i denne samtale {purpose} i {months}."
        " Din egen stemme bliver ikke optaget. Privatlivspolitik: {address}."
    ),
    first_layer_none="Velkommen til {controller}. Samtalen bliver ikke optaget.",
    question="Må vi optage din stemme? Tryk 1 for ja, 2 for nej eller 9 for at høre mere.",
    question_again="Må vi optage din stemme? Tryk 1 for ja eller 2 for nej.",
    details=(
        "{controller} er ansvarlig for optagelsen. Siger du ja, er dit samtykke det eneste grundlag."
        " Optagelsen bruges {purpose}, høres kun af dem, der har brug for den til det, og slettes senest efter {months}."
        " Et kort bevis for dit ja gemmes i {proof_months}."
        " Du kan bede om en kopi eller om sletning, og du kan klage til Datatilsynet."
        " Læs mere på {address}."
    ),
    acknowledgement="Tak. Du bliver nu optaget; du kan når som helst fortryde med {withdraw}.",
    not_recorded="Din stemme bliver ikke optaget, men det gør vores medarbejders.",
    nothing_recorded="Samtalen bliver ikke optaget.",
    withdrawn="Du bliver ikke længere optaget. Optagelsen af din stemme er slettet; kun beviset for dit samtykke gemmes.",
    apology="Vi beklager, ingen kan tage din samtale lige nu. Ring venligst igen senere.",
    paused="Optagelsen er sat på pause.",
    resumed="Optagelsen fortsætter.",
    purposes={
        Purpose.QUALITY_ASSURANCE: "til kvalitetssikring",
        Purpose.TRAINING: "til oplæring af vores medarbejdere",
        Purpose.SERVICE_IMPROVEMENT: "for at forbedre vores service",
        Purpose.DOCUMENTATION: "til dokumentation af vores aftaler",
        Purpose.VOICE_RECEIPT: "som kvittering for vores aftale",
        Purpose.COMPLIANCE: "for at opfylde et lovkrav",
        Purpose.SECURITY: "af hensyn til sikkerheden",
        Purpose.MARKETING: "til markedsføring",
        Purpose.DISPUTE_EVIDENCE: "som bevis i tilfælde af en tvist",
        Purpose.PROOF_OF_CONSENT: "som bevis for dit samtykke",
    },
    numbers=("en", "to", "tre", "fire", "fem", "seks", "syv", "otte", "ni", "ti", "elleve", "tolv"),
    digits=("nul", "et", "to", "tre", "fire", "fem", "seks", "syv", "otte", "ni"),
    star="stjerne",
    hash="firkant",
    month="måned",
    months="måneder",
    dot="punktum",
    slash="skråstreg",
    dash="bindestreg",
    says_recorded=("optager", "optages", "optaget", "optagelse"),
    says_stored=("gemmer", "gemmes", "gemt", "opbevare"),
    says_same_service=("samme",),
    hedges=("kan blive optaget", "kan optages", "optages muligvis", "bliver muligvis optaget"),
    conditions=(
        "skal sige ja",
        "skal acceptere",
        "kan ikke fortsætte",
        "kun hjælpe",
        "medmindre du siger ja",
        "læg på",
    ),
)
