module ractor-host/ractor

go 1.27
