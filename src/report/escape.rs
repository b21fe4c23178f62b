//! Text that came from a file, as each reader may see it: a terminal, the log of a CI system, XML,
//! Markdown, a spreadsheet.
//!
//! Names of arms, levels and labels are the words of whoever wrote the experiment. None of them
//! may act: move a cursor, command a CI system, become a tag or a formula.

/// Whether a character shows nothing of itself and acts on what is shown around it: control
/// characters, and those that turn the direction of a text or break its line.
pub fn is_hidden(letter: char) -> bool {
    let turns = '\u{2066}'..='\u{2069}';
    let breaks_or_turns = '\u{2028}'..='\u{202e}';
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}')
        || breaks_or_turns.contains(&letter)
        || turns.contains(&letter)
}

/// Text for a terminal: hidden characters other than ends of lines and tabs are
/// shown as escapes.
pub fn terminal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\t' => out.push(letter),
            c if is_hidden(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// The same of a text that has colours of our own: `ESC [ digits m` stays.
pub fn coloured_terminal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        let (before, from) = rest.split_at(at);
        out.push_str(&terminal(before));
        let digits = from[2..].find(|c: char| !c.is_ascii_digit() && c != ';');
        let length = match digits {
            Some(end) if from[2 + end..].starts_with('m') => 2 + end + 1,
            _ => 1,
        };
        match length {
            1 => out.push_str(&terminal(&from[..1])),
            _ => out.push_str(&from[..length]),
        }
        rest = &from[length..];
    }
    out + &terminal(rest)
}

/// Text for the log of a CI system that reads commands out of what is printed: a line that begins
/// with `::` (GitHub, which skips blanks before it) and `##[`, `##vso[` and `##teamcity[` anywhere
/// (GitHub's older form, Azure, TeamCity) are broken by a backslash.
///
/// <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>
pub fn log(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let blanks = line.len() - line.trim_start().len();
        let (indent, rest) = line.split_at(blanks);
        out.push_str(indent);
        if rest.starts_with("::") {
            out.push('\\');
        }
        let rest = rest.replace("##[", "#\\#[");
        out.push_str(&rest.replace("##vso[", "#\\#vso[").replace("##teamcity[", "#\\#teamcity["));
    }
    out
}

/// The data of a workflow command of GitHub: one line.
pub fn workflow_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command of GitHub.
pub fn workflow_property(text: &str) -> String {
    workflow_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Text as it may stand in an XML document; characters that XML forbids are left out.
pub fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Text that Markdown shows as it is, also in a table: `0 (<0.3)` stays readable, `<b>` does not
/// become a tag.
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let tag = |c: &char| c.is_alphabetic() || matches!(c, '/' | '!' | '?');
        match letter {
            '|' | '*' | '\\' | '`' | '[' => out.extend(['\\', letter]),
            '<' if letters.peek().is_some_and(tag) => out.push_str("&lt;"),
            c if is_hidden(c) => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Lines of a note in Markdown that has names in it: no tag, no link, nothing hidden. Its own ticks
/// stay.
pub fn markdown_note(text: &str) -> String {
    let line = |line: &str| {
        let parts: Vec<String> = line.split('`').map(markdown).collect();
        parts.join("`")
    };
    text.lines().map(|it| line(it) + "\n").collect()
}

/// Text for a field of a CSV file: `'` is put before what a spreadsheet would take for a formula. A
/// number is none.
///
/// <https://owasp.org/www-community/attacks/CSV_Injection>
pub fn csv(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula && text.parse::<f64>().is_err() { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_not_moved() {
        let shown = "a\\u{1b}[2J\\u{9b}8m\\u{202e}é\n\tb\\u{d}";
        assert_eq!(terminal("a\u{1b}[2J\u{9b}8m\u{202e}é\n\tb\r"), shown);
        let own = "\u{1b}[1;31mbad\u{1b}[0m \u{1b}[2J\u{1b}]0;t\u{7}";
        let shown = "\u{1b}[1;31mbad\u{1b}[0m \\u{1b}[2J\\u{1b}]0;t\\u{7}";
        assert_eq!(coloured_terminal(own), shown);
    }

    #[test]
    fn a_log_has_no_commands() {
        let text = "::error::x\n  ::stop-commands::y\na ::b\nx ##[error]z ##vso[task.complete]\n";
        let shown =
            "\\::error::x\n  \\::stop-commands::y\na ::b\nx #\\#[error]z #\\#vso[task.complete]\n";
        assert_eq!(log(text), shown);
        assert_eq!(workflow_property("a,b:c\n%"), "a%2Cb%3Ac%0A%25");
    }

    #[test]
    fn markdown_has_no_tags_and_a_spreadsheet_no_formulas() {
        assert_eq!(markdown("<img src=x> | 0 (<0.3)"), "&lt;img src=x> \\| 0 (<0.3)");
        for formula in ["=cmd()", "+a", "-1+cmd()", "@a"] {
            assert_eq!(csv(formula), format!("'{formula}"));
        }
        for plain in ["a=b", "-0.5", "1e-7", ""] {
            assert_eq!(csv(plain), plain);
        }
    }
}
