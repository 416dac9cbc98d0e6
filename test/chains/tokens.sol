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

/// Returns nothing, as tokens from before the standard do.
contract SilentToken {
    mapping(address => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(uint256 supply) {
        balanceOf[msg.sender] = supply;
    }

    function transfer(address to, uint256 value) external {
        require(balanceOf[msg.sender] >= value, "too much");
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
    }
}

/// Keeps a tenth of what is transferred, and charges another tenth on top to whoever is not its maker.
contract TaxedToken {
    mapping(address => uint256) public balanceOf;
    address private immutable maker = msg.sender;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(uint256 supply) {
        balanceOf[msg.sender] = supply;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        if (msg.sender == maker) {
            move(to, value);
            return true;
        }
        move(to, value - value / 10);
        move(maker, value / 10 + value / 10);
        return true;
    }

    function move(address to, uint256 value) private {
        require(balanceOf[msg.sender] >= value, "too much");
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
    }
}

/// Transfers while it is open, and says no afterwards without reverting.
contract FickleToken {
    mapping(address => uint256) public balanceOf;
    bool private isOpen = true;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(uint256 supply) {
        balanceOf[msg.sender] = supply;
    }

    function close() external {
        isOpen = false;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        if (!isOpen || balanceOf[msg.sender] < value) return false;
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
        return true;
    }
}
