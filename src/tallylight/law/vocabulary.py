"""The closed words of law that the whole house uses."""

from enum import StrEnum


class Role(StrEnum):
    """What somebody is on a conversation."""

    AGENT = "agent"
    CUSTOMER = "customer"
    THIRD_PARTY = "third_party"
    SUPERVISOR = "supervisor"
    SYSTEM = "system"
    """Our own announcements: nobody's voice but ours."""


class Purpose(StrEnum):
    """What a recording is for (Art. 5(1)(b) GDPR)."""

    QUALITY_ASSURANCE = "quality_assurance"
    TRAINING = "training"
    SERVICE_IMPROVEMENT = "service_improvement"
    DOCUMENTATION = "documentation"
    VOICE_RECEIPT = "voice_receipt"
    COMPLIANCE = "compliance"
    SECURITY = "security"
    MARKETING = "marketing"
    DISPUTE_EVIDENCE = "dispute_evidence"
    PROOF_OF_CONSENT = "proof_of_consent"


class LawfulBasis(StrEnum):
    """Art. 6(1)(a) to (f) GDPR."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal_obligation"
    VITAL_INTERESTS = "vital_interests"
    PUBLIC_TASK = "public_task"
    LEGITIMATE_INTERESTS = "legitimate_interests"


class Method(StrEnum):
    """How a consent was expressed."""

    DIGIT = "digit"
    SPOKEN = "spoken"
    WEB_FORM = "web_form"
    WRITTEN = "written"
    CONTRACT = "contract"
    SPOKEN_ON_RECORDING = "spoken_on_recording"
    """A spoken yes that is itself at the start of the recording: what some laws accept alone."""
    ANNOUNCEMENT = "announcement"
    ANNOUNCEMENT_ON_RECORDING = "announcement_on_recording"
    """Told in words that are themselves at the start of the recording, and stayed."""
    CONTINUED_AFTER_NOTICE = "continued_after_notice"
    TONE = "tone"
    """A tone repeated while it is recorded."""
    IMPORTED = "imported"
    ATTESTED = "attested"


AFFIRMATIVE_METHODS = frozenset({Method.DIGIT, Method.SPOKEN, Method.WEB_FORM, Method.WRITTEN})
"""Methods that are a clear affirmative act (Art. 4(11), recital 32 GDPR)."""


class Standard(StrEnum):
    """What a wiretap rule asks before a conversation may be recorded."""

    ONE_PARTY = "one_party"
    INFORMED = "informed"
    """Everybody has been told, or knows: notice, knowledge, presumed consent."""
    ALL_PARTY = "all_party"
    """Everybody else agrees, by a way the rule accepts."""


class Reach(StrEnum):
    """Which speakers' words an all-party rule covers."""

    OWN_WORD = "own_word"
    """Each speaker's words are protected for themselves, by the law of where that speaker is (DE)."""
    ANY_PART = "any_part"
    """Recording even one side of the conversation is covered (IL)."""
    SECRET_PART = "secret_part"
    """Recording even one side is covered where somebody was not told (a place nobody knows)."""
    UNSETTLED = "unsettled"
    """No authority: the other side must at least have been told."""


class Recorder(StrEnum):
    """Who makes a recording."""

    EMPLOYER = "employer"
    """Of the agent."""
    CUSTOMER = "customer"


class Layer(StrEnum):
    """What a rule is about."""

    WIRETAP = "wiretap"
    """Confidentiality of the spoken word: whose consent a recording needs at all."""
    GROUND = "ground"
    """Which lawful bases are accepted for a purpose."""
    CONSENT = "consent"
    """What makes a consent valid where it is the ground."""
    NOTICE = "notice"
    EMPLOYEE = "employee"
    DUTY = "duty"
    """What must be recorded or kept."""
    RETENTION = "retention"
    """How long at most."""
    BIOMETRIC = "biometric"
    MINOR = "minor"
    PROHIBITION = "prohibition"


class Subject(StrEnum):
    """What a prohibition is about."""

    CARD_DATA = "card_data"
    EMOTION_INFERENCE = "emotion_inference"
    SPECIAL_CATEGORY = "special_category"
    UNLAWFUL_AIM = "unlawful_aim"


class Requirement(StrEnum):
    """What must be the case besides a lawful basis, or before a feature is used."""

    BALANCING_TEST = "balancing_test"
    """Where the basis is legitimate interests; a public body cannot use that basis (Art. 6(1) GDPR, last sentence)."""
    NECESSITY = "necessity"
    """It is on file why the content cannot practically be documented another way."""
    NO_OTHER_PROOF = "no_other_proof"
    SAMPLE = "sample"
    """Occasional recordings."""
    NOT_EVERY_CALL = "not_every_call"
    """Never every call, permanently."""
    PUBLIC_POLICY = "public_policy"
    """A public schedule of retention and destruction."""
    ALTERNATIVE = "alternative"
    """A real other way: each leg captured apart."""
    IMPACT_ASSESSMENT = "impact_assessment"
    AGREEMENT = "agreement"
    """Of the employees' representatives: where the basis is legitimate interests."""


class Exemption(StrEnum):
    """When a rule does not hold."""

    THREAT_CALL = "threat_call"
    ORDER_CALL = "order_call"
    """The call's content is an order, a reservation or another mass transaction."""
    PUBLIC_PLACE = "public_place"
    """Not in a private place."""


class EmployeeForm(StrEnum):
    """A form of telling an employee."""

    TOLD = "told"
    """Beforehand, in whatever form."""
    ACKNOWLEDGED = "acknowledged"
    """Written notice, acknowledged in writing or electronically."""
    POSTED = "posted"
    """Conspicuously posted."""
    DAILY_ELECTRONIC = "daily_electronic"


class Release(StrEnum):
    """How an employee agreed to a voiceprint."""

    WRITTEN = "written"
    ELECTRONIC = "electronic"
    INFORMED_CONSENT = "informed_consent"
    REFUSED = "refused"


class Sector(StrEnum):
    CARD_PAYMENT = "card_payment"
    COMMODITY_FUTURES = "commodity_futures"
    HEALTHCARE = "healthcare"
    INVESTMENT_SERVICES = "investment_services"
    MEDICARE_MARKETING = "medicare_marketing"
    PAYMENTS = "payments"
    PUBLIC_ADMINISTRATION = "public_administration"
    PUBLIC_UTILITY_SERVICE = "public_utility_service"
    TELEMARKETING = "telemarketing"


class CallType(StrEnum):
    APPOINTMENT = "appointment"
    ENROLLMENT = "enrollment"
    MARKETING = "marketing"
    SALES = "sales"


class CheckedBy(StrEnum):
    """How an entry was checked."""

    PRIMARY_TEXT = "primary_text"
    QUOTED = "quoted"
    """A page or repository that quotes the text."""
    SECONDARY = "secondary"
    UNVERIFIED = "unverified"


class Confidence(StrEnum):
    """How well a rule is established."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Mode(StrEnum):
    """Whose voices a project wants recorded (a wish: law and people may narrow it, never widen it)."""

    BOTH = "both"
    AGENT_ONLY = "agent_only"
    AGENT_ONLY_ALLOW_CUSTOMER = "agent_only_allow_customer"
    """The agent alone, who may switch the customer on."""
    VOICE_RECEIPTS = "voice_receipts"
    """The agent, and the customer within voice receipts."""
    VOICE_RECEIPTS_ALLOW_CUSTOMER = "voice_receipts_allow_customer"
    """The same, and outside of them where the agent has switched the customer on."""
    NONE = "none"

    @property
    def allows_switch(self) -> bool:
        """Whether the agent may switch the customer on."""
        return self in (Mode.AGENT_ONLY_ALLOW_CUSTOMER, Mode.VOICE_RECEIPTS_ALLOW_CUSTOMER)

    @property
    def on_request(self) -> bool:
        """Whether the customer is recorded later if at all: when the agent asks for it, or in a voice receipt."""
        return self.allows_switch or self is Mode.VOICE_RECEIPTS


class Conference(StrEnum):
    """What a third party on the call changes."""

    ALL = "all"
    NONE = "none"
    AGENT_AND_CUSTOMER = "agent_and_customer"
    STOP_ON_THIRD_PARTY = "stop_on_third_party"


class ProjectKind(StrEnum):
    """What a project does; each kind has settings of its own."""

    OMNI = "omni"
    """Customer service."""
    OUTBOUND = "outbound"
    """Contact centre."""


class Channel(StrEnum):
    PHONE = "phone"
    VIDEO = "video"
    IN_PERSON = "in_person"


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Action(StrEnum):
    """What would open a closed gate or is still owed: the closed list. Some take a duration after a colon."""

    ANNOUNCE_RECORDING = "announce_recording"
    ANNOUNCE_ON_RECORDING = "announce_on_recording"
    OBTAIN_OPT_IN_CONSENT = "obtain_opt_in_consent"
    OBTAIN_ALL_PARTY_CONSENT = "obtain_all_party_consent"
    CAPTURE_CONSENT_ON_RECORDING = "capture_consent_on_recording"
    PROVIDE_ART13_NOTICE = "provide_art13_notice"
    DOCUMENT_LIA = "document_lia"
    DOCUMENT_NECESSITY = "document_necessity"
    NOTIFY_EMPLOYEE = "notify_employee"
    EMPLOYEE_WRITTEN_NOTICE_ACK = "employee_written_notice_ack"
    EMPLOYEE_POSTING = "employee_posting"
    WORKS_COUNCIL_AGREEMENT = "works_council_agreement"
    STOP_RECORDING_CUSTOMER = "stop_recording_customer"
    DO_NOT_RECORD_CUSTOMER = "do_not_record_customer"
    OFFER_UNRECORDED_SERVICE = "offer_unrecorded_service"
    END_CALL_OR_MOVE_CHANNEL = "end_call_or_move_channel"
    DELETE_CUSTOMER_TRACK_IMMEDIATELY = "delete_customer_track_immediately"
    PURGE_SNIPPETS_PROCEDURE = "purge_snippets_procedure"
    BASIS_FOR_REPEATED_PERSONAL_DATA = "basis_for_repeated_personal_data"
    DELETE_RECORDING = "delete_recording"
    PAUSE_RECORDING = "pause_recording"
    PURGE_CARD_DATA = "purge_card_data"
    RECORD_MANDATORY = "record_mandatory"
    RETAIN_MIN = "retain_min"
    RETAIN_MAX = "retain_max"
    BIOMETRIC_WRITTEN_RELEASE = "biometric_written_release"
    BIOMETRIC_RETENTION_POLICY = "biometric_retention_policy"
    BIOMETRIC_EXPLICIT_CONSENT = "biometric_explicit_consent"
    LIMIT_TO_SAMPLE = "limit_to_sample"
    DPIA = "dpia"
    DISABLE_EMOTION_INFERENCE = "disable_emotion_inference"
    TREAT_AS_ALL_PARTY = "treat_as_all_party"
    NEW_LEGAL_BASIS_FOR_PURPOSE = "new_legal_basis_for_purpose"
    ART9_CONDITION = "art9_condition"
    MINOR_REVIEW = "minor_review"
    LEGAL_REVIEW = "legal_review"
    VOICEPRINT_RETAIN_MAX = "voiceprint_retain_max"
    OBTAIN_AGENT_CONSENT = "obtain_agent_consent"
    SOUND_TONE = "sound_tone"
    ANNOUNCE_TO_JOINER = "announce_to_joiner"
