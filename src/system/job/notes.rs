//! What a job knows of rows that compares the answers to its calls.

use super::version;
use crate::model::program::TableId;

/// A row of the work's own order or key, as a call has come upon it.
#[derive(Clone, Copy, Debug)]
pub(in crate::system) struct Shown {
    pub(in crate::system) table: TableId,
    /// The version that was read or written last; 0 if there was no such row.
    pub(in crate::system) last: u64,
    /// The newest version that was written; 0 if none was.
    pub(in crate::system) written: u64,
}

/// The rows that a job was shown, told of and has read.
#[derive(Clone, Debug, Default)]
pub(in crate::system) struct Notes {
    /// The rows of the call under way.
    shown: Vec<Shown>,
    /// The newest version of each table's row that it was told of, the newest news last.
    told: Vec<(TableId, u64)>,
    /// The version of each table's row that it has read itself, last.
    read: Vec<(TableId, u64)>,
}

impl Notes {
    /// The call under way has come upon a row.
    pub(in crate::system) fn show(&mut self, table: TableId, version: u64, is_written: bool) {
        let known = self.shown.iter_mut().find(|shown| shown.table == table);
        let written = if is_written { version } else { 0 };
        match known {
            Some(shown) => {
                shown.last = version;
                shown.written = shown.written.max(written);
            }
            None => self.shown.push(Shown { table, last: version, written }),
        }
    }

    /// It is told of a version.
    pub(in crate::system) fn tell(&mut self, table: TableId, version: u64) {
        let known = self.told.iter().position(|&(told, _)| told == table);
        match known {
            Some(place) if self.told[place].1 >= version => return,
            Some(place) => drop(self.told.remove(place)),
            None => {}
        }
        self.told.push((table, version));
    }

    /// The version of a table's row that it has read last, if it has.
    pub(in crate::system) fn read(&self, table: TableId) -> Option<u64> {
        self.read.iter().find(|&&(read, _)| read == table).map(|&(_, version)| version)
    }

    /// It has read a row of a table itself.
    pub(in crate::system) fn note_read(&mut self, table: TableId, version: u64) {
        match self.read.iter_mut().find(|(read, _)| *read == table) {
            Some((_, read)) => *read = version,
            None => self.read.push((table, version)),
        }
    }

    /// The rows of the call that has ended.
    pub(in crate::system) fn take_shown(&mut self) -> Vec<Shown> {
        std::mem::take(&mut self.shown)
    }

    /// The version shown and the one that was told of, of the row that an answer is furthest behind
    /// with; `None` if it shows no row of which the job was told.
    pub(in crate::system) fn compared(&self, shown: &[Shown], value: u64) -> Option<(u64, u64)> {
        compared(&self.told, shown, value)
    }

    /// What a list of steps that runs at once begins with.
    pub(in crate::system) fn for_branch(&self) -> Notes {
        Notes { shown: Vec::new(), told: self.told.clone(), read: self.read.clone() }
    }

    /// Takes over what was told and read in a list of steps that ran at once.
    pub(in crate::system) fn take_over(&mut self, branch: &Notes) {
        for &(table, version) in &branch.told {
            self.tell(table, version);
        }
        for &(table, version) in &branch.read {
            self.note_read(table, version);
        }
    }
}

/// The table and version of a packed word, if it is of a row.
pub(in crate::system) fn row_of(value: u64) -> Option<(TableId, u64)> {
    (value != 0).then(|| (TableId((value >> 16) as u16), version(value)))
}

/// The rows that an answer tells of: what was written for it, and the row that it carries or, if
/// it carries none, every row that was read for it.
pub(in crate::system) fn of_answer(shown: &[Shown], value: u64) -> Vec<(TableId, u64)> {
    let written = shown.iter().filter(|row| row.written > 0);
    let mut known: Vec<(TableId, u64)> = written.map(|row| (row.table, row.written)).collect();
    match row_of(value) {
        Some(carried) => known.push(carried),
        None => {
            let read = shown.iter().filter(|row| row.written == 0 && row.last > 0);
            known.extend(read.map(|row| (row.table, row.last)));
        }
    }
    known
}

/// The version shown and the one that was told of, of the row that an answer is furthest behind
/// with; `None` if it shows no row of which the caller was told.
fn compared(told: &[(TableId, u64)], shown: &[Shown], value: u64) -> Option<(u64, u64)> {
    let carried = row_of(value);
    let seen_of = |table: TableId| match carried.filter(|&(of, _)| of == table) {
        Some((_, version)) => Some(version),
        None => shown.iter().find(|row| row.table == table).map(|row| row.last),
    };
    if carried.is_none() && shown.is_empty() {
        // It shows nothing at all, and less than that is no news.
        return told.last().map(|&(_, own)| (0, own));
    }
    let both = told.iter().filter_map(|&(table, own)| Some((seen_of(table)?, own)));
    both.max_by_key(|&(seen, own)| own.saturating_sub(seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: TableId = TableId(1);
    const OTHER: TableId = TableId(2);

    fn told(rows: &[(TableId, u64)]) -> Vec<(TableId, u64)> {
        let mut notes = Notes::default();
        for &(table, version) in rows {
            notes.tell(table, version);
        }
        notes.told
    }

    fn shown(rows: &[(TableId, u64)]) -> Vec<Shown> {
        let mut notes = Notes::default();
        for &(table, version) in rows {
            notes.show(table, version, false);
        }
        notes.shown
    }

    fn word(table: TableId, version: u64) -> u64 {
        version << 32 | u64::from(table.0) << 16
    }

    #[test]
    fn news_of_one_row_does_not_make_another_one_forgotten() {
        assert_eq!(told(&[(ONE, 3), (OTHER, 1)]), [(ONE, 3), (OTHER, 1)]);
        assert_eq!(told(&[(ONE, 3), (OTHER, 1), (ONE, 2)]), [(ONE, 3), (OTHER, 1)]);
        assert_eq!(told(&[(ONE, 3), (OTHER, 1), (ONE, 4)]), [(OTHER, 1), (ONE, 4)]);
    }

    #[test]
    fn an_answer_is_compared_by_the_row_that_it_is_furthest_behind_with() {
        let own = told(&[(ONE, 3), (OTHER, 5)]);
        let with = |rows: &[(TableId, u64)], value| compared(&own, &shown(rows), value);
        assert_eq!(with(&[(ONE, 2)], 0), Some((2, 3)), "whatever came after the read");
        assert_eq!(with(&[(ONE, 2)], word(ONE, 3)), Some((3, 3)), "the answer's own word counts");
        assert_eq!(with(&[(ONE, 2), (OTHER, 5)], word(OTHER, 5)), Some((2, 3)));
        assert_eq!(with(&[(TableId(3), 1)], word(TableId(3), 1)), None, "a row of no concern");
        assert_eq!(with(&[(ONE, 0)], 0), Some((0, 3)), "nothing was found");
        assert_eq!(with(&[], 0), Some((0, 5)), "nothing is shown");
        assert_eq!(compared(&[], &shown(&[(ONE, 2)]), 0), None, "it was told of nothing");
    }

    #[test]
    fn an_answer_tells_of_the_row_that_it_carries_or_of_all_that_were_read() {
        let mut notes = Notes::default();
        notes.show(ONE, 3, true);
        notes.show(OTHER, 5, false);
        assert_eq!(of_answer(&notes.shown, word(ONE, 3)), [(ONE, 3), (ONE, 3)]);
        assert_eq!(of_answer(&notes.shown, 0), [(ONE, 3), (OTHER, 5)]);
    }

    #[test]
    fn what_is_written_and_then_read_late_was_written_all_the_same() {
        let mut notes = Notes::default();
        notes.show(ONE, 4, true);
        notes.show(ONE, 2, false);
        assert_eq!((notes.shown[0].last, notes.shown[0].written), (2, 4));
    }
}
