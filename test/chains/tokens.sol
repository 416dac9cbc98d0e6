// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

// Compiled for `paris`, optimised for 200 runs; the bytecode is in tokens.ts.

/// As much of ERC-20 as a transfer needs.
contract Token {
    mapping(address => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(uint256 supply) {
        balanceOf[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        require(balanceOf[msg.sender] >= value, "transfer amount exceeds balance");
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
        return true;
    }
}

/// Says no instead of reverting, as some early tokens do.
contract UnwillingToken {
    function balanceOf(address) external pure returns (uint256) {
        return type(uint256).max;
    }

    function transfer(address, uint256) external pure returns (bool) {
        return false;
    }
}

/// Pays out what it is given by a call from within, which no transaction of the block shows.
contract Forwarder {
    function forward(address payable to) external payable {
        (bool done, ) = to.call{value: msg.value}("");
        require(done);
    }
}
