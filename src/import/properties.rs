//! Java properties as Spring Boot reads them: `key = value` lines with escapes, several documents
//! in one file, and places.

use indexmap::IndexMap;

use crate::model::document::{Data, Field, Location, Value};

/// Whether a text is properties, by its first line that is no comment: `a.b-c[0]=value`.
pub(super) fn looks_like_it(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !is_comment(line));
    let Some((key, _)) = first.and_then(|line| line.split_once('=')) else { return false };
    let is_key = |c: char| c.is_ascii_alphanumeric() || "._-[]".contains(c);
    key.contains('.') && key.trim().chars().all(is_key)
}

/// Every document of a text, keys as they are written.
pub(super) fn parse(text: &str, source: usize) -> Vec<Value> {
    let (mut documents, mut fields) = (Vec::new(), IndexMap::new());
    let mut close = |fields: &mut IndexMap<String, Field>| {
        let at = fields.values().next().map(|field| field.key_at);
        if let Some(at) = at {
            documents.push(Value { data: Data::Table(std::mem::take(fields)), at });
        }
    };
    let (mut start, mut lines) = (0, text.split_inclusive('\n'));
    while let Some(line) = lines.next() {
        let begin = start + (line.len() - line.trim_start().len());
        start += line.len();
        let mut logical = line.trim().to_owned();
        if matches!(logical.as_str(), "#---" | "!---") {
            close(&mut fields);
        }
        if logical.is_empty() || is_comment(&logical) {
            continue;
        }
        let shown = logical.len();
        // A line that ends in an odd number of backslashes goes on in the next one.
        while (logical.len() - logical.trim_end_matches('\\').len()) % 2 == 1 {
            logical.pop();
            let Some(next) = lines.next() else { break };
            start += next.len();
            logical += next.trim();
        }
        let (key, value) = parts(&logical);
        let place = |from: usize, to: usize| Location {
            source,
            start: begin + from.min(shown),
            end: begin + to.min(shown),
        };
        let value_at = place(logical.len() - value.len(), logical.len());
        let value = Value { data: Data::Text(unescaped(value)), at: value_at };
        // The last of two counts, as in Java.
        fields.insert(unescaped(key), Field { key_at: place(0, key.len()), value });
    }
    close(&mut fields);
    documents
}

fn is_comment(line: &str) -> bool {
    line.starts_with(['#', '!'])
}

/// Key and value: parted by `=`, `:` or a space, whichever comes first.
fn parts(line: &str) -> (&str, &str) {
    let mut is_escaped = false;
    let end = line.find(|c: char| {
        let is_end = !is_escaped && (c == '=' || c == ':' || c.is_whitespace());
        is_escaped = c == '\\' && !is_escaped;
        is_end
    });
    let (key, rest) = line.split_at(end.unwrap_or(line.len()));
    let rest = rest.trim_start();
    (key, rest.strip_prefix(['=', ':']).unwrap_or(rest).trim_start())
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('u') => {
                let digits: String = characters.by_ref().take(4).collect();
                let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                out.push(code.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            other => out.extend(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_comments_escapes_and_documents_are_those_of_java() {
        let text = "# c\n! d\n a.b = 1\na.c:x\\=\\u0041\na.d one\\\n  two\n#---\ne.f\n";
        let documents = parse(text, 0);
        let shown: Vec<String> = documents.iter().map(super::super::note::shown).collect();
        assert_eq!(shown, ["{a.b: 1, a.c: x=A, a.d: onetwo}", "{e.f: }"]);
        let at = documents[0].find(&["a.b".to_owned()]).expect("it is there").at;
        assert_eq!(&text[at.start..at.end], "1");
        assert!(looks_like_it("\n# x\na.b-c[0]=1") && !looks_like_it("a: b=c\n"));
    }
}
