"""German."""

from tallylight.consent.wording.form import Wording
from tallylight.law.vocabulary import Purpose

WORDING = Wording(
    language="de",
    words_per_minute=195,
    first_layer=(
        "{controller} zeichnet dieses Gespräch {purpose} auf und speichert es {months}; Ihre Stimme nur,"
        " wenn Sie Ja sagen. Der Service bleibt immer gleich. Widerruf mit {withdraw}. Datenschutz: {address}."
    ),
    first_layer_informed=(
        "{controller} zeichnet dieses Gespräch und Ihre Stimme {purpose} auf und speichert sie {months}."
        " Der Service bleibt gleich, wenn Sie widersprechen: jederzeit mit {withdraw}. Datenschutz: {address}."
    ),
    first_layer_agent_only=(
        "{controller} zeichnet in diesem Gespräch die Stimme unserer Mitarbeiter {purpose} auf und speichert sie {months}."
        " Ihre eigene Stimme wird nicht aufgezeichnet. Datenschutz: {address}."
    ),
    first_layer_none="Willkommen bei {controller}. Dieses Gespräch wird nicht aufgezeichnet.",
    question="Dürfen wir Ihre Stimme aufzeichnen? Drücken Sie 1 für Ja, 2 für Nein, 9 für mehr.",
    question_again="Dürfen wir Ihre Stimme aufzeichnen? Drücken Sie bitte 1 für Ja oder 2 für Nein.",
    details=(
        "{controller} ist für die Aufzeichnung verantwortlich. Sagen Sie Ja, ist Ihre Einwilligung die einzige Grundlage."
        " Die Aufzeichnung erfolgt {purpose}, wird nur von denen gehört, die sie dafür brauchen,"
        " und wird höchstens {months} gespeichert."
        " Ein kurzer Nachweis Ihrer Einwilligung wird {proof_months} gespeichert."
        " Sie können eine Kopie oder die Löschung verlangen und sich bei der Datenschutzbehörde beschweren."
        " Mehr unter {address}."
    ),
    acknowledgement="Danke. Sie werden jetzt aufgezeichnet; mit {withdraw} können Sie das jederzeit widerrufen.",
    not_recorded="Ihre Stimme wird nicht aufgezeichnet, die unserer Mitarbeiter schon.",
    nothing_recorded="Dieses Gespräch wird nicht aufgezeichnet.",
    withdrawn=(
        "Sie werden nicht mehr aufgezeichnet. Die Aufzeichnung Ihrer Stimme ist gelöscht;"
        " nur der Nachweis Ihrer Einwilligung bleibt."
    ),
    apology="Es tut uns leid, im Moment kann niemand Ihren Anruf annehmen. Bitte rufen Sie später noch einmal an.",
    paused="Die Aufzeichnung ist angehalten.",
    resumed="Die Aufzeichnung läuft weiter.",
    purposes={
        Purpose.QUALITY_ASSURANCE: "zur Qualitätssicherung",
        Purpose.TRAINING: "zur Schulung unserer Mitarbeiter",
        Purpose.SERVICE_IMPROVEMENT: "zur Verbesserung unseres Service",
        Purpose.DOCUMENTATION: "zur Dokumentation des Vereinbarten",
        Purpose.VOICE_RECEIPT: "zum Beleg des Vereinbarten",
        Purpose.COMPLIANCE: "zur Erfüllung einer gesetzlichen Pflicht",
        Purpose.SECURITY: "zur Sicherheit",
        Purpose.MARKETING: "zu Werbezwecken",
        Purpose.DISPUTE_EVIDENCE: "zum Beweis im Streitfall",
        Purpose.PROOF_OF_CONSENT: "zum Nachweis Ihrer Einwilligung",
    },
    numbers=("einen", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"),
    digits=("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"),
    star="Stern",
    hash="Raute",
    month="Monat",
    months="Monate",
    dot="Punkt",
    slash="Schrägstrich",
    dash="Bindestrich",
    says_recorded=("zeichnet", "aufgezeichnet", "aufzeichn", "nimmt dieses gespräch auf", "aufgenommen"),
    says_stored=("speichert", "gespeichert", "aufbewahrt"),
    says_same_service=("gleich", "derselbe", "dasselbe"),
    hedges=(
        "kann aufgezeichnet",
        "könnte aufgezeichnet",
        "wird möglicherweise aufgezeichnet",
        "wird eventuell aufgezeichnet",
    ),
    conditions=(
        "müssen zustimmen",
        "nur wenn sie zustimmen, können wir",
        "nicht fortfahren",
        "nur helfen",
        "legen sie auf",
    ),
)
