// The version of Wirebed, which captures and reports carry.
// SPDX-License-Identifier: MIT
#ifndef SIM_VERSION_H
#define SIM_VERSION_H

#define WIREBED_VERSION "0.1.0"

#endif
