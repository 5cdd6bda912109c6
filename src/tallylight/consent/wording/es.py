"""Spanish."""

from tallylight.consent.wording.form import Wording
from tallylight.law.vocabulary import Purpose

WORDING = Wording(
    language="es",
    words_per_minute=195,
    first_layer=(
        "{controller} graba y guarda esta llamada {purpose}, durante {months}; su voz, solo si usted dice que sí."
        " El servicio es el mismo en todo caso. Para retirarse, pulse {withdraw}. Privacidad: {address}."
    ),
    first_layer_informed=(
        "{controller} graba y guarda esta llamada y su voz {purpose}, durante {months}."
        " El servicio es el mismo si usted se opone: pulse {withdraw} en cualquier momento. Privacidad: {address}."
    ),
    first_layer_agent_only=(
        "{controller} graba y guarda la voz de nuestro agente {purpose}, durante {months}."
        " Su voz no se graba. Privacidad: {address}."
    ),
    first_layer_none="Bienvenido a {controller}. Esta llamada no se graba.",
    question="¿Podemos grabar su voz? Pulse 1 para sí, 2 para no, 9 para saber más.",
    question_again="¿Podemos grabar su voz? Pulse 1 para sí o 2 para no.",
    details=(
        "{controller} es responsable de la grabación. Si dice que sí, su consentimiento es su única base."
        " Se hace {purpose}, solo la escuchan quienes la necesitan para ello y se guarda durante {months} como máximo."
        " Una breve prueba de su consentimiento se guarda durante {proof_months}."
        " Puede pedir una copia o el borrado y reclamar ante la autoridad de protección de datos."
        " Más información en {address}."
    ),
    acknowledgement="Gracias. Ahora le estamos grabando; para retirarse, pulse {withdraw} en cualquier momento.",
    not_recorded="Su voz no se graba; la de nuestro agente, sí.",
    nothing_recorded="Esta llamada no se graba.",
    withdrawn=(
        "Ya no le grabamos. La grabación de su voz se ha borrado; solo se guarda la prueba de su consentimiento."
    ),
    apology="Lo sentimos, nadie puede atender su llamada en este momento. Vuelva a llamar más tarde, por favor.",
    paused="La grabación está en pausa.",
    resumed="La grabación continúa.",
    purposes={
        Purpose.QUALITY_ASSURANCE: "para el control de calidad",
        Purpose.TRAINING: "para formar a nuestro personal",
        Purpose.SERVICE_IMPROVEMENT: "para mejorar nuestro servicio",
        Purpose.DOCUMENTATION: "para dejar constancia de lo acordado",
        Purpose.VOICE_RECEIPT: "como comprobante de lo acordado",
        Purpose.COMPLIANCE: "para cumplir una obligación legal",
        Purpose.SECURITY: "por motivos de seguridad",
        Purpose.MARKETING: "con fines comerciales",
        Purpose.DISPUTE_EVIDENCE: "como prueba en caso de litigio",
        Purpose.PROOF_OF_CONSENT: "como prueba de su consentimiento",
    },
    numbers=("un", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce"),
    digits=("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
    star="asterisco",
    hash="almohadilla",
    month="mes",
    months="meses",
    dot="punto",
    slash="barra",
    dash="guion",
    says_recorded=("graba", "grabada", "grabación"),
    says_stored=("guarda", "guardada", "conserva", "almacena"),
    says_same_service=("mismo", "misma"),
    hedges=("puede ser grabada", "podrá ser grabada", "podría ser grabada", "puede grabarse"),
    conditions=("debe aceptar", "no podemos continuar", "solo podemos ayudarle", "salvo que acepte", "cuelgue"),
)
