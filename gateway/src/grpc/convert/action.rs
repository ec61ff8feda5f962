//! What a client may ask for, as a resource and as one line of text.

use tidegate_core::{WaveIx, engine::Action, plan::Plan};
use tidegate_proto::v1;

/// The actions as the API lists them.
pub(crate) fn allowed(actions: &[Action], plan: &Plan) -> Vec<v1::AllowedAction> {
    actions
        .iter()
        .map(|&action| v1::AllowedAction {
            action: name(action).into(),
            wave: wave(action)
                .map(|wave| plan.wave(wave).name.to_string())
                .unwrap_or_default(),
        })
        .collect()
}

/// The actions as an error's metadata names them:
/// `RESUME,CANCEL,RETRY_WAVE:web`.
pub(crate) fn line(actions: &[Action], plan: &Plan) -> String {
    let words: Vec<String> = actions
        .iter()
        .map(|&action| {
            let full = name(action).as_str_name();
            let bare = full.strip_prefix("ACTION_").unwrap_or(full);
            match wave(action) {
                Some(wave) => format!("{bare}:{}", plan.wave(wave).name),
                None => bare.to_owned(),
            }
        })
        .collect();
    words.join(",")
}

fn name(action: Action) -> v1::Action {
    match action {
        Action::Pause => v1::Action::Pause,
        Action::Resume => v1::Action::Resume,
        Action::Cancel => v1::Action::Cancel,
        Action::RetryWave(_) => v1::Action::RetryWave,
        Action::SkipWave(_) => v1::Action::SkipWave,
        Action::CleanUp => v1::Action::CleanUp,
    }
}

fn wave(action: Action) -> Option<WaveIx> {
    match action {
        Action::RetryWave(wave) | Action::SkipWave(wave) => Some(wave),
        Action::Pause | Action::Resume | Action::Cancel | Action::CleanUp => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::fixtures;

    #[test]
    fn actions_on_a_wave_name_it() {
        let plan = fixtures::checked_shop();
        let actions = [Action::Resume, Action::Cancel, Action::RetryWave(WaveIx(1))];
        assert_eq!(line(&actions, &plan), "RESUME,CANCEL,RETRY_WAVE:web");
        let listed = allowed(&actions, &plan);
        assert_eq!(listed[2].action(), v1::Action::RetryWave);
        assert_eq!(listed[2].wave, "web");
        assert_eq!(listed[0].wave, "");
    }
}
