//! Networks of which no address may ever be reached: an endpoint that lists
//! one expects something that does not happen.

use std::net::SocketAddr;

use super::{CLAUSES, Matcher, Rule, Setting, Subject, clauses::LOOPBACK, judge};
use crate::Cidr;

/// Judges a network that an endpoint lists.
///
/// # Errors
/// No address in it can be reached, whatever else is granted. Names the rule
/// that forbids the first.
pub fn judge_network(setting: Setting, network: Cidr) -> Result<(), Rule> {
    let meets = |other: &Cidr| other.covers(&network) || network.covers(other);
    let excused = setting == Setting::Development && LOOPBACK.iter().any(meets);
    if excused || !is_forbidden(&network) {
        return Ok(());
    }
    let some_port = 1;
    let first = SocketAddr::new(network.first(), some_port);
    judge(setting, first, Subject::Endpoint(&[network]))
}

/// Whether forbidden networks cover this one, alone or together.
fn is_forbidden(network: &Cidr) -> bool {
    let mut holds_some = false;
    for forbidden in CLAUSES.iter().flat_map(|clause| never(&clause.matcher)) {
        if forbidden.covers(network) {
            return true;
        }
        holds_some |= network.covers(forbidden);
    }
    let halves = network.halves().filter(|_| holds_some);
    halves.is_some_and(|halves| halves.iter().all(is_forbidden))
}

fn never<'a>(matcher: &Matcher<'a>) -> &'a [Cidr] {
    match *matcher {
        Matcher::Never(networks) => networks,
        Matcher::PortZero | Matcher::Unlisted(_) | Matcher::OutsideCidrs => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(setting: Setting, network: &str) -> Result<(), Rule> {
        judge_network(setting, network.parse().unwrap())
    }

    #[test]
    fn a_network_without_a_reachable_address_is_named_with_its_rule() {
        for (network, rule) in [
            ("127.0.0.0/8", Rule::Loopback),
            ("127.0.0.1/32", Rule::Loopback),
            ("::1/128", Rule::Loopback),
            ("169.254.0.0/16", Rule::LinkLocal),
            ("169.254.169.254/32", Rule::Metadata),
            ("168.63.129.16/32", Rule::Metadata),
            ("fe80::/10", Rule::LinkLocal),
            ("224.0.0.0/4", Rule::Multicast),
            ("::ffff:0:0/96", Rule::Mapped),
            ("::ffff:10.0.0.0/104", Rule::Mapped),
            ("64:ff9b::/96", Rule::Nat64),
            ("2002::/16", Rule::SixToFour),
            ("2001::/32", Rule::Teredo),
            ("0.0.0.0/8", Rule::Unspecified),
            // Multicast and reserved addresses, which no one rule covers.
            ("224.0.0.0/3", Rule::Multicast),
        ] {
            assert_eq!(judged(Setting::Production, network), Err(rule), "{network}");
        }
    }

    #[test]
    fn a_network_with_one_reachable_address_is_no_mistake() {
        for network in [
            "0.0.0.0/0",
            "::/0",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "168.63.129.16/31",
            "168.0.0.0/5",
            "fd00::/8",
            "2000::/3",
            "192.0.0.0/23",
        ] {
            assert_eq!(judged(Setting::Production, network), Ok(()), "{network}");
        }
    }

    #[test]
    fn development_excuses_this_machine_and_nothing_else() {
        for network in ["127.0.0.0/8", "127.0.0.1/32", "::1/128", "::/127"] {
            assert_eq!(judged(Setting::Development, network), Ok(()), "{network}");
        }
        for network in ["169.254.0.0/16", "224.0.0.0/3", "::ffff:127.0.0.0/104"] {
            assert!(judged(Setting::Development, network).is_err(), "{network}");
        }
    }
}
