"""The tabs beside the people, each optional, all kept by the engine of `sync/sheet`.

    To do     what rules ask the team to do          a tick closes a task
    Outbox    the e-mails                            a tick lets one go
    To check  what a person should look at           a tick says: seen, it is right
    Journal   what happened in the sheet, and why    nothing to tick

Ticks are read before anything else is done, so the run that sees a tick acts on it. The tabs are written last.
"""
