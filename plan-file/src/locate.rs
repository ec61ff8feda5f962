//! Where each field of a file is, so that a mistake that is found later (by
//! the plan's checks, here or in the gateway) can be shown in its line.

use std::collections::BTreeMap;

use serde_saphyr::granit_parser::{Event, Parser, Span};

use super::mistake::Place;

/// Places of all fields of a file, by path: `spec.waves[1].after[0]`.
#[derive(Debug, Default)]
pub(crate) struct Places(BTreeMap<String, Place>);

impl Places {
    /// Reads the places from a text. What follows a syntax error is not found.
    pub(crate) fn of(text: &str) -> Self {
        let mut walk = Walk::default();
        for item in Parser::new_from_str(text) {
            let Ok((event, span)) = item else { break };
            if walk.on(&event, span).is_none() {
                break;
            }
        }
        Self(walk.places)
    }

    /// The place of a field of the API, or of the nearest thing around it.
    ///
    /// The file's spelling differs from the API's: `pauseBefore` is
    /// `pause_before`, a list of ids is `servers` within a group, and a single
    /// group stands without `[0]`.
    pub(crate) fn find(&self, field: &str) -> Option<Place> {
        let field = match field.split(['.', '[']).next() {
            Some("name" | "labels") => format!("metadata.{field}"),
            _ => field.to_owned(),
        };
        let mut here = String::new();
        let mut found = None;
        for segment in segments(&field) {
            let next = spellings(segment)
                .into_iter()
                .map(|spelling| join(&here, &spelling))
                .find(|path| self.0.contains_key(path));
            match next {
                Some(path) => {
                    found = self.0.get(&path).copied();
                    here = path;
                }
                None if here.ends_with(".onFailure") => {
                    return self.answer(&here, segment).or(found);
                }
                // A single group is not a list in the file.
                None if segment.starts_with('[') => {}
                None => break,
            }
        }
        found
    }

    /// An entry of `onFailure`: a list in the API, a mapping in the file, in
    /// the same order but for the default.
    fn answer(&self, path: &str, index: &str) -> Option<Place> {
        let index: usize = index.trim_matches(['[', ']']).parse().ok()?;
        let prefix = format!("{path}.");
        let default = format!("{prefix}default");
        let entries = self.0.range(prefix.clone()..);
        let mut places: Vec<Place> = entries
            .take_while(|(key, _)| key.starts_with(&prefix))
            .filter(|(key, _)| **key != default)
            .map(|(_, place)| *place)
            .collect();
        places.sort_by_key(|place| (place.line, place.column));
        places.get(index).copied()
    }
}

/// `a.b[2].c` as `a`, `b`, `[2]`, `c`.
fn segments(field: &str) -> impl Iterator<Item = &str> {
    field.split('.').flat_map(|part| {
        let (name, indices) = part.split_at(part.find('[').unwrap_or(part.len()));
        std::iter::once(name)
            .chain(indices.split_inclusive(']'))
            .filter(|segment| !segment.is_empty())
    })
}

/// How a file may spell a segment of the API's path.
fn spellings(segment: &str) -> Vec<String> {
    let mut all = vec![segment.to_owned(), camel_case(segment)];
    match segment {
        "servers" => all.push("ids".to_owned()),
        "snapshot_id" => all.push("snapshot".to_owned()),
        "role_arn" => all.push("role".to_owned()),
        "ca_pem" => all.push("caFile".to_owned()),
        "failure_answers" => all.push("onFailure".to_owned()),
        _ => {}
    }
    all
}

fn camel_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        if c == '_' {
            upper = true;
        } else {
            out.push(if upper { c.to_ascii_uppercase() } else { c });
            upper = false;
        }
    }
    out
}

fn join(path: &str, segment: &str) -> String {
    if path.is_empty() || segment.starts_with('[') {
        format!("{path}{segment}")
    } else {
        format!("{path}.{segment}")
    }
}

/// A walk over the parser's events that keeps the path.
#[derive(Default)]
struct Walk {
    places: BTreeMap<String, Place>,
    open: Vec<Container>,
}

/// A mapping or a sequence that is not closed yet.
enum Container {
    /// `entry` is the path of the key that was read last, if its value has not come yet.
    Mapping {
        path: String,
        entry: Option<String>,
    },
    Sequence {
        path: String,
        next: usize,
    },
}

impl Walk {
    /// Takes one event; `None` if this cannot be a plan (a key that is no text).
    fn on(&mut self, event: &Event<'_>, span: Span) -> Option<()> {
        let place = Place {
            line: span.start.line(),
            column: span.start.col() + 1,
        };
        if let Event::Scalar(text, ..) = event
            && let Some(Container::Mapping { path, entry }) = self.open.last_mut()
            && entry.is_none()
        {
            let key = join(path, text);
            self.places.insert(key.clone(), place);
            *entry = Some(key);
        } else if let Event::Scalar(..) | Event::Alias(_) = event {
            self.child(place)?;
        } else if let Event::MappingStart(..) = event {
            let path = self.child(place)?;
            self.open.push(Container::Mapping { path, entry: None });
        } else if let Event::SequenceStart(..) = event {
            let path = self.child(place)?;
            self.open.push(Container::Sequence { path, next: 0 });
        } else if let Event::MappingEnd | Event::SequenceEnd = event {
            self.open.pop();
        }
        Some(())
    }

    /// The path of the value that begins here.
    fn child(&mut self, place: Place) -> Option<String> {
        match self.open.last_mut() {
            None => Some(String::new()),
            Some(Container::Mapping { entry, .. }) => entry.take(),
            Some(Container::Sequence { path, next }) => {
                let item = format!("{path}[{next}]");
                *next += 1;
                self.places.insert(item.clone(), place);
                Some(item)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# a plan
metadata: {name: shop}
spec:
  waves:
    - name: db
      servers: {ids: [s-1, {id: s-2}]}
    - name: web
      after: [db, dbb]
      pauseBefore: true
      servers:
        - tags: {a: b}
        - tags: {c: d}
      verify:
        - hook: up
          onFailure: {timeout: waive, default: hold, error: abort}
          limits: {memoryMib: 1}
  endpoints:
    - {name: ledger, caFile: ca.pem}
";

    fn find(field: &str) -> Option<(usize, usize)> {
        Places::of(FILE)
            .find(field)
            .map(|place| (place.line, place.column))
    }

    #[test]
    fn a_field_is_found_where_it_is_written() {
        assert_eq!(find("spec.waves[1].after[1]"), Some((8, 19)));
        assert_eq!(find("spec.waves[1].pause_before"), Some((9, 7)));
        assert_eq!(find("spec.waves[1].servers[1].tags"), Some((12, 11)));
    }

    #[test]
    fn a_single_group_is_found_without_an_index() {
        assert_eq!(
            find("spec.waves[0].servers[0].servers[1].id"),
            Some((6, 29))
        );
        assert_eq!(find("spec.waves[0].servers[0]"), Some((6, 7)));
    }

    #[test]
    fn an_answer_to_a_kind_of_failure_is_found_by_its_position() {
        let answer = |ix| {
            find(&format!(
                "spec.waves[1].verify[0].failure_answers[{ix}].kind"
            ))
        };
        assert_eq!(answer(0), Some((15, 23)));
        assert_eq!(answer(1), Some((15, 54)));
        assert_eq!(answer(2), Some((15, 11)), "there is no third");
        let all = find("spec.waves[1].verify[0].on_failure");
        assert_eq!(all, Some((15, 11)));
    }

    #[test]
    fn what_a_hook_may_use_and_reach_is_found() {
        let memory = find("spec.waves[1].verify[0].limits.memory_mib");
        assert_eq!(memory, Some((16, 20)));
        assert_eq!(find("spec.endpoints[0].ca_pem"), Some((18, 22)));
    }

    #[test]
    fn the_name_is_in_the_metadata() {
        assert_eq!(find("name"), Some((2, 12)));
    }

    #[test]
    fn what_is_missing_is_shown_where_it_belongs() {
        assert_eq!(find("spec.waves[1].target.region"), Some((7, 7)));
        assert_eq!(find("spec.target"), Some((3, 1)));
        assert_eq!(find("nowhere"), None);
    }

    #[test]
    fn a_broken_file_is_no_panic() {
        for text in ["", "{", "? [a]\n: b", "- - -", "a: *b", "\u{0}"] {
            let _ = Places::of(text).find("spec.waves[0]");
        }
    }
}
