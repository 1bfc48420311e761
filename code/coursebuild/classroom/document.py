"""The pages that grading writes: one head, and the looks that they share.

They come from no site and load nothing: each is a file that is whole by itself.
"""

from html import escape

PAGE = """\
<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
{body}
</body>
</html>
"""
STYLE = """\
:root { color-scheme: light dark; --line: light-dark(#d0d7de, #444c56); }
body { font: 1rem/1.55 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem;
  overflow-wrap: anywhere; }
blockquote { margin: .5rem 0; padding-left: .8rem; border-left: 3px solid var(--line);
  white-space: pre-wrap; }
"""
NO_SCRIPTS = "default-src 'none'; style-src 'unsafe-inline'"


def document(
    title: str, body: str, style: str, *, language: str = "en", scripts: bool = False
) -> str:
    """Return a whole page.

    Parameters
    ----------
    title : str
        As text.
    body : str
        As HTML; what students wrote has to be escaped in it.
    style : str
        The page's own rules, after those that all share.
    language : str
    scripts : bool
        Whether scripts in the body may run. Where none may, none does, whoever wrote it.
    """
    return PAGE.format(
        language=language,
        policy=NO_SCRIPTS + "; script-src 'unsafe-inline'" * scripts,
        title=escape(title),
        style=STYLE + style,
        body=body,
    )
