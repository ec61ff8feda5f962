//! The same hook with more servers, to see how far it is from its limits.

use super::{
    ScriptedProbes, Vector,
    script::{Question, Script},
};
use crate::{Context, Server, Target};

impl Vector {
    /// This vector's context with at least so many servers, and their world.
    ///
    /// Servers are added as copies, in turn, with new ids; probes of a copy
    /// are answered as the original's. What the vector expects is then no
    /// measure any more. A vector without servers stays as it is.
    #[must_use]
    pub fn grown(&self, servers: usize) -> (Context, ScriptedProbes) {
        let mut context = self.context.clone();
        let mut script = self.script.clone();
        let originals = &self.context.servers;
        let missing = servers.saturating_sub(originals.len());
        for (number, original) in originals.iter().cycle().take(missing).enumerate() {
            let copy = copy(original, number);
            answer_alike(&mut script, &self.script, &original.id, &copy.id);
            context.servers.push(copy);
        }
        context.servers.sort_by(|one, other| one.id.cmp(&other.id));
        (context, ScriptedProbes::new(script))
    }
}

/// Its id is of the form that DRS gives, beginning with what no id of a real
/// account and hardly one of a vector begins with.
fn copy(original: &Server, number: usize) -> Server {
    Server {
        id: format!("s-fffffffff{number:08x}"),
        hostname: match original.hostname.as_str() {
            "" => String::new(),
            hostname => format!("{hostname}-{number}"),
        },
        ..original.clone()
    }
}

fn answer_alike(script: &mut Script, from: &Script, original: &str, copy: &str) {
    for (question, answers) in from {
        if let Target::Server { server, port } = &question.target
            && server == original
        {
            let target = Target::Server {
                server: copy.to_owned(),
                port: *port,
            };
            let asked = question.asked.clone();
            script.insert(Question { target, asked }, answers.clone());
        }
    }
}
