"""SIP signalling (RFC 3261): calls as the upper layer holds them, down to bytes on UDP and TCP.

Start at `agent` (UserAgent) and `call` (Call); what they tell upwards is `observer`. Below: `dialog`, the transactions
(`transactions`, `client_transaction`, `server_transaction`), `carrier` (what goes by which transport), `network` (the
port; `transport` has the sockets, `simulated` the twin) and `codec`, the only module that knows the SIP library.
Session descriptions pass through as bytes; `sdp` reads them for the media side. `admission` and `digest` are the door.
"""
