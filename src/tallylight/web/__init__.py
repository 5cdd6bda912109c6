"""HTTP at the rim. `server` runs an application inside the house's own event loop; `api` is for programs."""
