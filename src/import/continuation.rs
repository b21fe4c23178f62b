//! Quoted text of YAML over several lines, whose further lines are indented less than the parser
//! wants: libyaml and go-yaml take them, so files have them.
//!
//! Leading spaces of such lines mean nothing, so some are put in, and places are counted back.

/// So many spaces were put in up to this byte of the new text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shift {
    at: usize,
    before: usize,
}

/// The text with further lines of quoted text indented; `None` if no line needs it.
pub(super) fn indented(text: &str) -> Option<(String, Vec<Shift>)> {
    if text.len() > BYTES_MAX {
        return None;
    }
    let mut scanner = Scanner::default();
    let (mut out, mut shifts, mut added) = (String::with_capacity(text.len()), Vec::new(), 0);
    for line in text.split_inclusive('\n') {
        let spaces = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(column) = scanner.inside()
            && spaces < column
            && !line.trim().is_empty()
        {
            out.extend(std::iter::repeat_n(' ', column - spaces));
            added += column - spaces;
            shifts.push(Shift { at: out.len(), before: added });
        }
        out.push_str(line);
        scanner.line(line);
    }
    (!shifts.is_empty()).then_some((out, shifts))
}

/// The byte of the original text at which this byte of the new one stood.
pub(super) fn original(shifts: &[Shift], byte: usize) -> usize {
    let past = shifts.partition_point(|shift| shift.at <= byte);
    past.checked_sub(1).map_or(byte, |last| byte - shifts[last].before)
}

/// What of YAML is open at the end of a line.
#[derive(Debug, Default)]
struct Scanner {
    /// The quote that is open, and the column at which it was opened.
    quote: Option<(char, usize)>,
    block: Option<Block>,
}

/// A block of text after `|` or `>`.
#[derive(Clone, Copy, Debug)]
enum Block {
    /// Its first line is indented more than this.
    Opened(usize),
    /// Its lines are indented at least so much.
    Of(usize),
}

/// Lines are indented no further, and larger files not at all, or they could grow without limit.
const COLUMN_MAX: usize = 80;
/// See [`COLUMN_MAX`].
const BYTES_MAX: usize = 4 << 20;

impl Scanner {
    /// The column of the quote that is open.
    fn inside(&self) -> Option<usize> {
        self.quote.map(|(_, column)| column.min(COLUMN_MAX))
    }

    fn line(&mut self, line: &str) {
        let spaces = line.len() - line.trim_start_matches(' ').len();
        if self.quote.is_none() && self.is_of_block(line, spaces) {
            return;
        }
        let mut before = ' ';
        let mut is_start = self.quote.is_none();
        let mut characters = line.char_indices().peekable();
        while let Some((column, character)) = characters.next() {
            if let Some((quote, _)) = self.quote {
                match (quote, character) {
                    ('"', '\\') => drop(characters.next()),
                    ('\'', '\'') if characters.peek().is_some_and(|(_, next)| *next == '\'') => {
                        characters.next();
                    }
                    _ if character == quote => self.quote = None,
                    _ => {}
                }
            } else {
                match character {
                    '#' if before.is_whitespace() => break,
                    '"' | '\'' if is_start => {
                        (self.quote, is_start) = (Some((character, column)), false);
                    }
                    ' ' | '\t' => is_start |= ":-?".contains(before),
                    '[' | '{' | ',' => is_start = true,
                    '-' | '?' | ':' => {}
                    _ => is_start = false,
                }
            }
            before = character;
        }
        if self.quote.is_none() && opens_block(line) {
            self.block = Some(Block::Opened(spaces));
        }
    }

    fn is_of_block(&mut self, line: &str, spaces: usize) -> bool {
        match self.block {
            None => {}
            Some(_) if line.trim().is_empty() => {}
            Some(Block::Opened(outer)) if spaces > outer => self.block = Some(Block::Of(spaces)),
            Some(Block::Of(indent)) if spaces >= indent => {}
            Some(_) => self.block = None,
        }
        self.block.is_some()
    }
}

/// Whether a line ends with the mark of a block of text: `|`, `>-`, `|2+`.
fn opens_block(line: &str) -> bool {
    let line = line.split(" #").next().unwrap_or(line).trim_end();
    let marks = line.trim_end_matches(|c: char| c.is_ascii_digit() || "+-".contains(c));
    let Some(before) = marks.strip_suffix(['|', '>']) else { return false };
    before.is_empty() || before.ends_with([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
a:
  b: "one
 two # \" 'x
three"
  c: it's
  d: |
    "open
    x
  e: 1
"#;

    #[test]
    fn only_further_lines_of_quoted_text_are_indented_and_places_are_counted_back() {
        let (new, shifts) = indented(TEXT).expect("two lines");
        assert!(new.contains("\n     two") && new.contains("\n     three\"\n  c: it's\n"), "{new}");
        assert!(new.ends_with("    \"open\n    x\n  e: 1\n"), "{new}");
        for word in ["one", "two", "three", "open", "e: 1"] {
            let place = new.find(word).expect(word);
            assert_eq!(original(&shifts, place), TEXT.find(word).expect(word), "{word}");
        }
        for text in ["a: it's\nb: c\n", "- 'x'\n- \"y\"\n", "a: |\n  \"\nb: 1\n", "a: b # '\nc: d"]
        {
            assert_eq!(indented(text), None, "{text}");
        }
    }
}
