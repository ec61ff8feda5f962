//! Tags of every kind of resource.

use super::*;

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn every_kind_of_resource_takes_and_loses_tags() {
    let mut model = model(1);
    let id = start_drill(&mut model, [0], 0).unwrap();
    model.advance(at(1_000));
    let instance = estate(&model)
        .recovery_instances()
        .next()
        .unwrap()
        .id
        .clone();
    for resource in [
        Resource::SourceServer(server_id(0)),
        Resource::Job(id),
        Resource::RecoveryInstance(instance),
    ] {
        let arn = resource.arn(&place());
        model
            .tag(&place(), &arn, &tags(&[("a", "1"), ("b", "2")]))
            .unwrap();
        model.tag(&place(), &arn, &tags(&[("a", "3")])).unwrap();
        assert_eq!(
            model.tags(&place(), &arn).unwrap(),
            tags(&[("a", "3"), ("b", "2")])
        );
        model
            .untag(&place(), &arn, &["a".to_owned(), "absent".to_owned()])
            .unwrap();
        assert_eq!(model.tags(&place(), &arn).unwrap(), tags(&[("b", "2")]));
    }
}

#[test]
fn a_job_has_the_tags_of_its_call() {
    let mut model = model(1);
    let request = LaunchRequest {
        tags: tags(&[("launch", "x")]),
        ..drill([0])
    };
    let job = model.start_recovery(&place(), &request, start()).unwrap();
    let arn = Resource::Job(job.id).arn(&place());
    assert_eq!(model.tags(&place(), &arn).unwrap(), request.tags);
    assert_eq!(model.launches()[0].tags, request.tags);
}

#[test]
fn fifty_tags_are_the_limit() {
    let mut model = model(1);
    let arn = Resource::SourceServer(server_id(0)).arn(&place());
    let many = |count: usize| (0..count).map(|n| (n.to_string(), String::new())).collect();
    model.tag(&place(), &arn, &many(50)).unwrap();
    let refusal = model.tag(&place(), &arn, &many(51)).unwrap_err();
    assert!(matches!(refusal, Refusal::Invalid { field: "tags", .. }));
    assert_eq!(model.tags(&place(), &arn).unwrap().len(), 50);
}

#[test]
fn resources_of_another_place_are_not_found() {
    let model = model(1);
    let elsewhere = Place {
        region: Region::parse("us-east-1").unwrap(),
        ..place()
    };
    let arn = Resource::SourceServer(server_id(0)).arn(&elsewhere);
    assert!(matches!(
        model.tags(&place(), &arn),
        Err(Refusal::NotFound { .. })
    ));
    assert!(matches!(
        model.tags(&place(), "nonsense"),
        Err(Refusal::Invalid { .. })
    ));
}
