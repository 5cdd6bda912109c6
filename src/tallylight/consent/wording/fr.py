"""French."""

from tallylight.consent.wording.form import Wording
from tallylight.law.vocabulary import Purpose

WORDING = Wording(
    language="fr",
    words_per_minute=195,
    first_layer=(
        "{controller} enregistre et conserve cet appel {purpose}, pendant {months} ; votre voix, seulement si vous"
        " dites oui. Le service reste le même dans tous les cas. Pour retirer votre accord, faites {withdraw}."
        " Politique de confidentialité : {address}."
    ),
    first_layer_informed=(
        "{controller} enregistre et conserve cet appel et votre voix {purpose}, pendant {months}."
        " Le service reste le même si vous vous y opposez : faites {withdraw} à tout moment."
        " Confidentialité : {address}."
    ),
    first_layer_agent_only=(
        "{controller} enregistre et conserve la voix de notre conseiller {purpose}, pendant {months}."
        " Votre voix n'est pas enregistrée. Confidentialité : {address}."
    ),
    first_layer_none="Bienvenue chez {controller}. Cet appel n'est pas enregistré.",
    question="Pouvons-nous enregistrer votre voix ? Tapez 1 pour oui, 2 pour non, 9 pour en savoir plus.",
    question_again="Pouvons-nous enregistrer votre voix ? Tapez 1 pour oui ou 2 pour non.",
    details=(
        "{controller} est responsable de l'enregistrement. Si vous dites oui, votre accord en est le seul fondement."
        " Il est réalisé {purpose}, n'est écouté que par ceux qui en ont besoin pour cela,"
        " et il est effacé au plus tard après {months}."
        " Une courte preuve de votre accord est conservée pendant {proof_months}."
        " Vous pouvez demander une copie ou l'effacement, et saisir l'autorité de protection des données."
        " Plus d'informations : {address}."
    ),
    acknowledgement="Merci. Vous êtes maintenant enregistré ; pour retirer votre accord, faites {withdraw} à tout moment.",
    not_recorded="Votre voix n'est pas enregistrée, celle de notre conseiller l'est.",
    nothing_recorded="Cet appel n'est pas enregistré.",
    withdrawn=(
        "Vous n'êtes plus enregistré. L'enregistrement de votre voix est effacé ;"
        " seule la preuve de votre accord est conservée."
    ),
    apology="Nous sommes désolés, personne ne peut prendre votre appel pour le moment. Merci de rappeler plus tard.",
    paused="L'enregistrement est en pause.",
    resumed="L'enregistrement reprend.",
    purposes={
        Purpose.QUALITY_ASSURANCE: "pour le contrôle qualité",
        Purpose.TRAINING: "pour former notre personnel",
        Purpose.SERVICE_IMPROVEMENT: "pour améliorer notre service",
        Purpose.DOCUMENTATION: "pour garder trace de ce qui est convenu",
        Purpose.VOICE_RECEIPT: "comme reçu de ce qui est convenu",
        Purpose.COMPLIANCE: "pour respecter une obligation légale",
        Purpose.SECURITY: "pour des raisons de sécurité",
        Purpose.MARKETING: "à des fins commerciales",
        Purpose.DISPUTE_EVIDENCE: "comme preuve en cas de litige",
        Purpose.PROOF_OF_CONSENT: "comme preuve de votre accord",
    },
    numbers=("un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze"),
    digits=("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"),
    star="étoile",
    hash="dièse",
    month="mois",
    months="mois",
    dot="point",
    slash="barre oblique",
    dash="tiret",
    says_recorded=("enregistre", "enregistré"),
    says_stored=("conserve", "conservé", "stocke", "stocké"),
    says_same_service=("même",),
    hedges=(
        "peut être enregistré",
        "pourra être enregistré",
        "pourrait être enregistré",
        "susceptible d'être enregistré",
    ),
    conditions=(
        "devez accepter",
        "ne pouvons pas continuer",
        "seulement vous aider",
        "sauf si vous acceptez",
        "raccrochez",
    ),
)
