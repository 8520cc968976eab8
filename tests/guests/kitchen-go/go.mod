module kitchen

go 1.27

require ractor-host/ractor v0.0.0

replace ractor-host/ractor => ../../../guest-sdk/go
