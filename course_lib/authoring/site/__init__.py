"""The course as a web site: `make site` writes `dist/site`, which a server or a file manager shows alike.

    execute.py     runs the students' notebooks, and keeps what they showed as long as nothing they depend on changes
    outputs.py     what a page shows of an output: smaller figures, answers in a fold, no exercise that failed
    pages.py       the pages that are written anew: the front page, the documents with links that lead somewhere
    graph.py       which notebook needs which, drawn
    katex.py       formulas, set when the site is built
    extension.py   what Sphinx is told: formulas, the glossary's terms, what stands on every page
    build.py       puts it together
"""
