//! grpcio, which learns everything but the address from the gateway itself.

use super::{
    installed::{assert_all_passed, in_checkout, python},
    stack::Stack,
};

#[test]
fn a_python_client_finds_its_way_by_reflection_and_is_told_the_truth() {
    let stack = Stack::start("shop");
    let output = python()
        .arg(in_checkout("tests/compatibility/grpc_client.py"))
        .arg(stack.authority())
        .output()
        .expect("Python runs");
    assert_all_passed(&output);
}
