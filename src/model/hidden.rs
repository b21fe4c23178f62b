//! Characters that show nothing and act on who shows them: no name or text of a file has any.

use super::document::{Data, Value};
use super::problem::Problem;

impl Value {
    /// Every name and text of a document that has a control character. A text, but no name, may
    /// have several lines.
    pub fn hidden_characters(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        self.find_hidden(&mut problems);
        problems
    }

    fn find_hidden(&self, problems: &mut Vec<Problem>) {
        match &self.data {
            Data::Table(fields) => {
                for (name, field) in fields {
                    problems.extend(in_name(name).map(|problem| problem.at(field.key_at)));
                    field.value.find_hidden(problems);
                }
            }
            Data::List(values) => values.iter().for_each(|value| value.find_hidden(problems)),
            Data::Text(text) => {
                let is_hidden = |c: &char| c.is_control() && !matches!(c, '\n' | '\t' | '\r');
                let found = text.chars().find(is_hidden);
                problems.extend(found.map(|letter| problem("text", letter).at(self.at)));
            }
            _ => {}
        }
    }
}

/// What is wrong with a name that has a control character.
pub(super) fn in_name(name: &str) -> Option<Problem> {
    name.chars().find(|c| c.is_control()).map(|letter| problem("name", letter))
}

/// What is wrong with a text of one line, such as a title, that has a control character.
pub fn in_line(text: &str) -> Option<Problem> {
    text.chars().find(|c| c.is_control()).map(|letter| problem("line of text", letter))
}

fn problem(what: &str, letter: char) -> Problem {
    let letter = u32::from(letter);
    Problem::new(format!("this {what} has the control character U+{letter:04X}"))
        .expected("characters that can be seen: names go to terminals, logs and tables")
}
