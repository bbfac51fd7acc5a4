// Package phone decides what the phone does: hook, keys, calls, hold, transfer, lists.
package phone
