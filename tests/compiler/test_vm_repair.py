"""The repair of branches in VM IR, on the IR itself (test_compile_module.py runs a program that needs it)."""

from __future__ import annotations

from iree.compiler import ir

from sable.compiler import vm_repair

BRANCHES = """
module {
  vm.module public @m {
    vm.func private @f(%r: !vm.ref<?>, %c: i32) {
      vm.cond_br %c, ^one(%r, %r : !vm.ref<?>, !vm.ref<?>), ^two(%c, %c : i32, i32)
    ^one(%a: !vm.ref<?>, %b: !vm.ref<?>):
      vm.br ^one(%b, %b : !vm.ref<?>, !vm.ref<?>)
    ^two(%i: i32, %j: i32):
      vm.return
    }
    vm.func private @straight(%r: !vm.ref<?>) {
      vm.return
    }
  }
}
"""


def test_each_further_occurrence_becomes_a_value_of_its_own():
    with ir.Context():
        module = ir.Module.parse(BRANCHES)
        assert vm_repair.repair(module.operation) == 2
        assert module.operation.verify()
        text = str(module)
        assert text.count("vm.select.ref") == 2
        assert text.count("vm.global.i32 private mutable @__sable_zero") == 1
        assert vm_repair.repair(module.operation) == 0  # nothing is left to repair


def test_nothing_to_repair_changes_nothing():
    straight = BRANCHES.replace("%r, %r :", "%r, %n :").replace("%b, %b :", "%a, %b :")
    straight = straight.replace("vm.cond_br", "%n = vm.const.ref.zero : !vm.ref<?>\n vm.cond_br")
    with ir.Context():
        module = ir.Module.parse(straight)
        before = str(module)
        assert vm_repair.repair(module.operation) == 0
        assert str(module) == before
