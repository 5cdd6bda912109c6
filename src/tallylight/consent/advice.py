"""What a person or a company is told who asks whether a call may be recorded: the answer, four steps, and words to say."""

from dataclasses import dataclass

from tallylight.consent.errors import NoticeError


@dataclass(frozen=True, kw_only=True)
class Advice:
    """The sentences in one language. None of them names a law: citations come from the rules."""

    yes: str
    only_if_told: str
    only_if_stayed: str
    only_if_agreed: str
    no: str
    house: str
    """What Tallylight does whatever the law lets pass."""
    steps: tuple[str, str, str, str]
    """The law of both places; the consent; the consent on the recording; never covertly."""
    customer_says: str
    company_says: str
    announcement_unneeded: str
    announcement_argued: str
    announcement_short: str
    legal_review: str
    not_advice: str
    """With `{date}`: when the rules were last checked."""


def advice(language: str) -> Advice:
    """The sentences in `language`. Raises NoticeError naming the languages there are."""
    found = _ADVICE.get(language)
    if found is None:
        raise NoticeError(f"There is no advice in {language!r}: choose one of {', '.join(sorted(_ADVICE))}.")
    return found


_ADVICE = {
    "en": Advice(
        yes="Yes. The law of these places lets you record. Say that you do all the same.",
        only_if_told="Only if you tell them first, and they do not object.",
        only_if_stayed="Only if you tell them at the start of the recording, and they stay on the line.",
        only_if_agreed="Only if they say yes, and the yes stands at the start of the recording.",
        no="No. Nothing you could say on the call makes it lawful.",
        house="Tallylight records nobody before everybody has been told, and nobody who said no.",
        steps=(
            "Look at the law of both places.",
            "Get the consent it asks for. Where a place is not known, get everybody's.",
            "Have the consent on the recording: tell them, ask, start recording, let them confirm.",
            "Never record covertly. A no ends the recording, not the service.",
        ),
        customer_says="I would like to record this call for my own records. Is that all right with you? ... Thank you; it is"
        " recording now. Please say once more that you agree.",
        company_says="This call is recorded and stored. May we record your voice? You get the same service either way."
        " Please say yes or no.",
        announcement_unneeded="Their message that the call may be recorded changes nothing: the law of these places asks for"
        " nothing that it could stand for.",
        announcement_argued="Their message that the call may be recorded announces their recording. It is argued that the"
        " message, and your staying on the line, stand for everybody's consent; that is not settled. Tell them yourself.",
        announcement_short="Their message that the call may be recorded is not enough here, even if it were taken for their"
        " consent to yours: the law asks for more.",
        legal_review="One of these rules is contested or could not be verified; the strict reading was taken. Have a lawyer"
        " look at it.",
        not_advice="Not legal advice. The rules were last checked on {date}.",
    ),
    "da": Advice(
        yes="Ja. Loven de to steder lader dig optage. Sig det alligevel.",
        only_if_told="Kun hvis du siger det først, og de ikke har noget imod det.",
        only_if_stayed="Kun hvis du siger det i begyndelsen af optagelsen, og de bliver i røret.",
        only_if_agreed="Kun hvis de siger ja, og deres ja er med i begyndelsen af optagelsen.",
        no="Nej. Intet, du kan sige under samtalen, gør det lovligt.",
        house="Tallylight optager ingen, før alle har fået det at vide, og ingen, der har sagt nej.",
        steps=(
            "Se på loven begge steder.",
            "Få det samtykke, den kræver. Kender du ikke stedet, så få alles.",
            "Få samtykket med på optagelsen: sig det, spørg, start optagelsen, og lad dem bekræfte.",
            "Optag aldrig i smug. Et nej stopper optagelsen, ikke betjeningen.",
        ),
        customer_says="Jeg vil gerne optage samtalen til mig selv. Er det i orden? ... Tak, nu optager jeg. Vil du sige en gang"
        " til, at du er indforstået?",
        company_says="Denne samtale bliver optaget og gemt. Må vi optage din stemme? Du får den samme service uanset hvad. Sig"
        " ja eller nej.",
        announcement_unneeded="Deres besked om, at samtalen kan blive optaget, ændrer intet: Loven de to steder kræver intet,"
        " som den kunne stå for.",
        announcement_argued="Deres besked om, at samtalen kan blive optaget, gælder deres egen optagelse. Nogle mener, at"
        " beskeden, og at du bliver i røret, er alles samtykke; det er ikke afgjort. Sig det selv.",
        announcement_short="Deres besked om, at samtalen kan blive optaget, er ikke nok her, selv om den blev taget for et"
        " samtykke til din optagelse: Loven kræver mere.",
        legal_review="En af reglerne er omstridt eller kunne ikke efterprøves; den strenge læsning er brugt. Spørg en jurist.",
        not_advice="Ikke juridisk rådgivning. Reglerne blev sidst efterset den {date}.",
    ),
    "de": Advice(
        yes="Ja. Das Recht beider Orte lässt die Aufnahme zu. Sagen Sie es trotzdem.",
        only_if_told="Nur wenn Sie es vorher sagen und niemand widerspricht.",
        only_if_stayed="Nur wenn Sie es zu Beginn der Aufnahme sagen und die anderen in der Leitung bleiben.",
        only_if_agreed="Nur wenn die anderen ja sagen und das Ja am Anfang der Aufnahme steht.",
        no="Nein. Nichts, was Sie im Gespräch sagen könnten, macht es rechtmäßig.",
        house="Tallylight nimmt niemanden auf, bevor alle Bescheid wissen, und niemanden, der nein gesagt hat.",
        steps=(
            "Das Recht beider Orte ansehen.",
            "Die Einwilligung einholen, die es verlangt. Ist ein Ort unbekannt, die von allen.",
            "Die Einwilligung mit aufnehmen: Bescheid sagen, fragen, Aufnahme starten, bestätigen lassen.",
            "Nie heimlich aufnehmen. Ein Nein beendet die Aufnahme, nicht den Service.",
        ),
        customer_says="Ich möchte dieses Gespräch für mich aufnehmen. Sind Sie einverstanden? ... Danke, die Aufnahme läuft."
        " Bitte sagen Sie noch einmal, dass Sie einverstanden sind.",
        company_says="Dieses Gespräch wird aufgenommen und gespeichert. Dürfen wir Ihre Stimme aufnehmen? Der Service ist in"
        " jedem Fall derselbe. Bitte sagen Sie ja oder nein.",
        announcement_unneeded="Die Ansage, das Gespräch könne aufgezeichnet werden, ändert nichts: Das Recht beider Orte"
        " verlangt nichts, wofür sie stehen könnte.",
        announcement_argued="Die Ansage, das Gespräch könne aufgezeichnet werden, kündigt die Aufnahme der anderen Seite an."
        " Manche sehen in ihr und im Bleiben die Einwilligung aller; geklärt ist das nicht. Sagen Sie es selbst.",
        announcement_short="Die Ansage, das Gespräch könne aufgezeichnet werden, genügt hier nicht, auch wenn man sie als"
        " Einwilligung in Ihre Aufnahme nähme: Das Recht verlangt mehr.",
        legal_review="Eine der Regeln ist umstritten oder konnte nicht geprüft werden; es gilt die strenge Lesart. Lassen Sie"
        " das juristisch prüfen.",
        not_advice="Keine Rechtsberatung. Die Regeln wurden zuletzt geprüft am {date}.",
    ),
    "fr": Advice(
        yes="Oui. La loi des deux lieux vous permet d'enregistrer. Dites-le tout de même.",
        only_if_told="Seulement si vous le dites d'abord et que personne ne s'y oppose.",
        only_if_stayed="Seulement si vous le dites au début de l'enregistrement et que l'autre reste en ligne.",
        only_if_agreed="Seulement si l'autre dit oui, et que ce oui figure au début de l'enregistrement.",
        no="Non. Rien de ce que vous pourriez dire pendant l'appel ne le rend licite.",
        house="Tallylight n'enregistre personne avant que tous soient informés, ni personne qui a dit non.",
        steps=(
            "Regarder la loi des deux lieux.",
            "Obtenir le consentement qu'elle demande. Si un lieu est inconnu, celui de tous.",
            "Avoir le consentement sur l'enregistrement : informer, demander, enregistrer, faire confirmer.",
            "Ne jamais enregistrer en cachette. Un non met fin à l'enregistrement, pas au service.",
        ),
        customer_says="Je voudrais enregistrer cet appel pour moi-même. Êtes-vous d'accord ? ... Merci, l'enregistrement a"
        " commencé. Dites encore une fois que vous êtes d'accord, s'il vous plaît.",
        company_says="Cet appel est enregistré et conservé. Pouvons-nous enregistrer votre voix ? Le service reste le même dans"
        " tous les cas. Répondez par oui ou par non.",
        announcement_unneeded="Leur message disant que l'appel peut être enregistré ne change rien : la loi des deux lieux ne"
        " demande rien dont il tiendrait lieu.",
        announcement_argued="Leur message disant que l'appel peut être enregistré annonce leur enregistrement. On soutient que"
        " ce message et le fait de rester en ligne valent le consentement de tous ; ce n'est pas tranché. Dites-le"
        " vous-même.",
        announcement_short="Leur message disant que l'appel peut être enregistré ne suffit pas ici, même s'il valait"
        " consentement à votre enregistrement : la loi demande davantage.",
        legal_review="L'une de ces règles est contestée ou n'a pu être vérifiée ; la lecture stricte a été retenue. Demandez à"
        " un juriste.",
        not_advice="Ceci n'est pas un conseil juridique. Règles vérifiées pour la dernière fois le {date}.",
    ),
    "es": Advice(
        yes="Sí. La ley de ambos lugares le permite grabar. Dígalo de todos modos.",
        only_if_told="Solo si lo dice antes y nadie se opone.",
        only_if_stayed="Solo si lo dice al comienzo de la grabación y la otra parte sigue en la línea.",
        only_if_agreed="Solo si la otra parte dice que sí y ese sí consta al comienzo de la grabación.",
        no="No. Nada de lo que pudiera decir en la llamada lo hace lícito.",
        house="Tallylight no graba a nadie antes de que todos estén informados, ni a quien ha dicho que no.",
        steps=(
            "Mirar la ley de ambos lugares.",
            "Obtener el consentimiento que exige. Si un lugar es desconocido, el de todos.",
            "Tener el consentimiento en la grabación: avisar, preguntar, empezar a grabar y hacer que lo confirmen.",
            "Nunca grabar a escondidas. Un no termina la grabación, no el servicio.",
        ),
        customer_says="Quisiera grabar esta llamada para mí. ¿Está de acuerdo? ... Gracias, ya está grabando. Diga una vez más"
        " que está de acuerdo, por favor.",
        company_says="Esta llamada se graba y se guarda. ¿Podemos grabar su voz? El servicio es el mismo en cualquier caso."
        " Diga sí o no.",
        announcement_unneeded="Su mensaje de que la llamada puede ser grabada no cambia nada: la ley de ambos lugares no exige"
        " nada que ese mensaje pudiera suplir.",
        announcement_argued="Su mensaje de que la llamada puede ser grabada anuncia la grabación de ellos. Hay quien sostiene"
        " que ese mensaje, y seguir en la línea, equivalen al consentimiento de todos; no está resuelto. Dígalo usted.",
        announcement_short="Su mensaje de que la llamada puede ser grabada no basta aquí, aunque se tomara por consentimiento a"
        " la grabación de usted: la ley exige más.",
        legal_review="Una de estas reglas es discutida o no pudo comprobarse; se tomó la lectura estricta. Consulte a un"
        " abogado.",
        not_advice="No es asesoramiento jurídico. Las reglas se revisaron por última vez el {date}.",
    ),
}
