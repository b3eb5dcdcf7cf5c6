# SPDX-License-Identifier: Apache-2.0
#
# What tests/feature/test_lsm.py can see at work: all is allowed but for one file.
profile rt-test flags=(attach_disconnected,mediate_deleted) {
  file,
  capability,
  network,
  mount,
  umount,
  signal,
  ptrace,
  deny /etc/locked w,
}

# An rt that is confined itself.
profile rt-outer flags=(attach_disconnected,mediate_deleted) {
  file,
  capability,
  network,
  mount,
  umount,
  pivot_root,
  signal,
  ptrace,
  unix,
  change_profile,
}
