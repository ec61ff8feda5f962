//! Which servers a wave takes, in a few words.

use std::collections::BTreeMap;

use tidegate_proto::v1::{ServerGroup, WaveSpec};

/// For example `app=shop,tier=db` or `2 servers`; groups are joined with `+`.
#[must_use]
pub fn selection(wave: &WaveSpec) -> String {
    let groups: Vec<String> = wave.servers.iter().map(group).collect();
    groups.join(" + ")
}

fn group(group: &ServerGroup) -> String {
    let mut text = match group.servers.len() {
        0 => {
            let tags: BTreeMap<_, _> = group.tags.iter().collect();
            let tags: Vec<String> = tags
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            tags.join(",")
        }
        1 => "1 server".to_owned(),
        many => format!("{many} servers"),
    };
    if let Some(target) = group
        .target
        .as_ref()
        .filter(|target| !target.region.is_empty())
    {
        text = format!("{text} in {}", target.region);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_sorted_and_groups_joined() {
        let tags = ServerGroup {
            tags: [("tier", "db"), ("app", "shop")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
            ..ServerGroup::default()
        };
        let ids = ServerGroup {
            servers: vec![tidegate_proto::v1::ServerRef::default()],
            ..ServerGroup::default()
        };
        let wave = WaveSpec {
            servers: vec![tags, ids],
            ..WaveSpec::default()
        };
        assert_eq!(selection(&wave), "app=shop,tier=db + 1 server");
    }
}
