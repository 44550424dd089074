"""`codemill view OUT`: a finished run in a browser, on this machine only.

    server       sockets, the address, Ctrl-C
    guard        who may ask, and what a page may do
    app          the pages of files
    tokens       the pages of tokens and plans
    templates    what both are made with
    query        what a list shows, as its address says it
    rows signals thresholds    what lists and rules need, in memory
    contents     a search of the corpus, streamed
    document     what is shown of one file
    highlight    colours, in a process of its own
    charts       histograms
    page/        templates, style, script

It needs the extra `view`. It writes nothing and asks nobody else. What comes from data is text: escaped, shown, never
executed.
"""
