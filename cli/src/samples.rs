//! The sample plans. `demo` applies one of them; the others are to try.

use tidegate_plan_file::{Source, Written};

use crate::failure::Failure;

/// A plan that comes with the program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Its file's name.
    name: &'static str,
    text: &'static str,
}

/// Three tiers, one after the other; the last waits for a person.
pub(crate) const SHOP: Sample = Sample {
    name: "shop.yaml",
    text: include_str!("../plans/shop.yaml"),
};

impl Sample {
    /// The plan in it.
    ///
    /// # Errors
    /// None for a sample that passed this module's tests.
    pub(crate) fn read(self) -> Result<Written, Failure> {
        Ok(Written::parse(Source {
            name: self.name.to_owned(),
            text: self.text.to_owned(),
        })?)
    }
}

#[cfg(test)]
mod tests {
    use tidegate_plan_file as plan_file;

    use super::*;

    const ALL: [Sample; 4] = [
        SHOP,
        Sample {
            name: "diamond.yaml",
            text: include_str!("../plans/diamond.yaml"),
        },
        Sample {
            name: "fleet.yaml",
            text: include_str!("../plans/fleet.yaml"),
        },
        Sample {
            name: "recorded-drill.yaml",
            text: include_str!("../plans/recorded-drill.yaml"),
        },
    ];

    #[test]
    fn every_sample_is_a_valid_plan() {
        for sample in ALL {
            let written = sample.read().unwrap();
            written.check().unwrap();
        }
    }

    #[test]
    fn every_sample_survives_a_round_trip() {
        for sample in ALL {
            let plan = sample.read().unwrap().plan;
            let yaml = plan_file::to_yaml(&plan_file::file(&plan));
            let again = Written::parse(Source {
                name: sample.name.to_owned(),
                text: yaml,
            });
            assert_eq!(plan, again.unwrap().plan);
        }
    }

    #[test]
    fn a_mistake_in_the_meaning_is_shown_in_its_line() {
        let text = SHOP.text.replace("after: [database]", "after: [databse]");
        let written = Written::parse(Source {
            name: "shop.yaml".to_owned(),
            text,
        });
        insta::assert_snapshot!(written.unwrap().check().unwrap_err(), @r#"
        spec.waves[1].after[0]: there is no wave "databse"; did you mean "database"?
          --> shop.yaml:19:15
            |
         19 |       after: [databse]
            |               ^^^^^^^
        "#);
    }
}
