"""The commented `tallylight.toml` of `tallylight init`: complete, valid, recording nobody until it is asked for and signed."""

TEMPLATE = """\
# Tallylight: who records, what for, and how long. Read at start, and again by `tallylight settings apply`; a mistake is
# named with its line, stops the start, and leaves a running server as it was.
# Lines beginning with # show the value that holds without them, or an example.

[controller]
name = "Example Ltd"                    # as callers hear it
country = "DK"                          # where the controller is established; with the region where law differs: US-CA
policy_address = "example.com/privacy"  # where the privacy policy is, as callers hear it
# Nothing is recorded until somebody accepts the controller's responsibility (Art. 24 GDPR). Name them and the day:
# terms_acknowledged_by = "Jane Doe, 2026-11-24"

[agents]
country = "DK"                          # where the people sit who answer
employee_notice = false                 # true once their employer has told them, as the law there asks, that calls are recorded

[recording]                             # what holds in every project that does not say otherwise
# mode = "none"                         # as in a project; each inheriting project whose kind lacks it is named as a mistake
# conference = "all"                    # what a third party on the call changes: all (everybody is recorded), none,
                                        # agent_and_customer, stop_on_third_party
# start_paused = false                  # true: every call starts paused until somebody resumes the recording
# retention_months = 3                  # how long recordings are kept
# agents_hear_others = false            # true: agents may listen to recordings of calls they were not on
# several_receipts = false              # true: each voice receipt of an order is kept; false: a later one takes its place
# attested_consent = false              # true: staff may attest that a caller agreed; it is flagged, and opens nothing that
                                        # needs the caller's own yes
# receipt_months = 60                   # how long voice receipts are kept; without: as everything else

[project.main]
language = "en"                         # da, de, en, es, fr
# To record, take the # from the next two lines. Whatever the mode, a person's no goes before it.
# mode = "both"                         # both, agent_only (nobody can switch the customer on), agent_only_allow_customer (the
                                        # agent can), none, "global" (as in [recording], as without this line); outbound:
                                        # voice_receipts and voice_receipts_allow_customer as well
# necessity = "..."                     # why what is said cannot practically be documented another way
# kind = "omni"                         # omni: customer service; outbound: contact centre
purpose = "quality_assurance"           # quality_assurance, training, service_improvement, documentation, voice_receipt,
                                        # compliance, security, marketing, dispute_evidence
basis = "consent"                       # for the customer: consent, contract, legal_obligation, vital_interests,
                                        # public_task, legitimate_interests
# agent_basis = "contract"
# start_paused, retention_months, attested_consent  # as in [recording], for this project alone; an omni project has
                                        # conference besides, an outbound one agents_hear_others, several_receipts and
                                        # receipt_months
# receipt_basis = "consent"             # outbound: for the customer's voice in a voice receipt
# sector = "investment_services"        # whose duties hold as well: card_payment, commodity_futures, healthcare,
                                        # investment_services, medicare_marketing, payments, public_administration,
                                        # public_utility_service, telemarketing
# prompts = true                        # false, for emergency and relay lines: no prompt ever delays a call, and who was not
                                        # told otherwise is not recorded
# minors = false                        # true: the callers are children; as prompts = false, and nothing is ever asked of them
# spoken_answers = false                # true: callers may say yes or no too, in English; needs the extra `speech`
# numbers = ["+4570101010", "sales"]    # dialled numbers and SIP users of this project; one project may go without
# balancing_test = { id = "LIA-1", approved_by = "Jane Doe", approved_on = 2026-11-24, review_by = 2027-11-24 }
                                        # what basis = "legitimate_interests" rests on (Art. 6(1)(f) GDPR)
# proof_ground = "Art. 17(3)(e) GDPR: defence of claims"  # why proof of consent outlives the recording; without: it does not
# proof_months = 36                     # with a ground; without: as long as the recording

# A purpose of your own, by its name in a project: told in your words, judged as one of ours, in receipts by its DPV term.
# [purpose.coaching]
# judged_as = "training"
# term = "HumanResourceManagement"
# words = { en = "to coach our staff", da = "til coaching af vores medarbejdere" }

# Wordings of your own, instead of ours or in a language we lack: `tallylight notice wording en > en.toml` to begin with.
# [wording]
# en = "en.toml"                        # in this folder; linted at start

[flow]
# repeat_wait_s = 4                     # silence before the question is repeated, once, and again before it counts as no
# agent_ring_s = 30
# no_media_s = 60                       # no sound packets on both sides for this long end the call, hold excepted
# max_call_s = 14400
# withdraw_code = "*2"                  # takes a yes back in mid-call
# pause_code = "*3"                     # the agent pauses and resumes
# customer_code = "*4"                  # the agent has the customer recorded too, or no longer, where the mode allows it
# receipt_code = "*5"                   # the agent begins and ends a voice receipt, in outbound projects
# minor_code = "*6"                     # the agent says that the customer is a child: nothing more is asked of them
# code_wait_s = 2                       # how long a star waits for the rest of a code before it is passed on
# proof_after_s = 3                     # what is kept of the person after our acknowledgement, as proof of consent
# prompt_seconds = 0.2                  # cuts every prompt, for tests; only where no caller from elsewhere is let in

[sip]
allowed = ["127.0.0.0/8", "::1/128"]    # peers let in by address
# listen = "127.0.0.1:5070"             # or --sip
# advertise = "192.0.2.7"               # the address peers reach us at; needed where we listen on 0.0.0.0 (or --advertise)
# connect = "sip:agent@127.0.0.1:5090"  # the agent every call reaches (or --connect)
# transports = ["udp", "tcp"]
# rtp_ports = [10000, 19999]            # first and last UDP port for sound
# stay_on_udp = ["192.0.2.9"]           # peers that cannot take large requests by TCP
# realm = "tallylight"
# outbound_user = "tallylight"          # how we sign in where the agent's server asks
# outbound_password = "..."
# [sip.credentials]                     # peers let in by password; others must not be able to read this file then
# alice = "..."

# [http]
# listen = "127.0.0.1:8080"             # /healthz /readyz /metrics (or --http)

[retention]
# sweep_minutes = 60                    # how often what is due is erased

[storage]
# database = "postgresql://user@host/name"  # without: SQLite in this folder
"""
