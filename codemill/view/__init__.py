"""`codemill view OUT`: a finished run in a browser, on this machine only.

    server       sockets, the address, Ctrl-C
    guard        who may ask, and what a page may do
    app          which pages a run has, and those of other runs beside them
    family       the runs that a run was made of, and those made of it; a document followed through them
    files        the pages of files and rules
    tokens       the pages of tokens and plans
    sets         the pages of synthesised rows
    domains      the pages of domains, and the rules that a person accepts
    overview     the page of a run as a whole
    templates    what all of them are made with
    query        what a list shows, as its address says it
    rows signals thresholds    what lists and rules need, in memory
    contents     a search of the corpus, streamed
    document     what is shown of one file
    highlight    colours, in a process of its own
    charts       histograms
    page/        templates, style, script

It needs the extra `view`. It writes nothing but accepted rules, and asks nobody else. What comes from data is text:
escaped, shown, never executed.
"""
